"""The whole site as real processes: Redis, Daphne, a Celery worker and its scheduler."""

from __future__ import annotations

import re
import stat
import subprocess

import httpx
import pytest
import redis
from django.conf import settings

from emotion_site.redis_server import find_redis_server
from recognition.vision.manifest import read_manifest
from tests.support.pictures import face_jpeg, no_face_jpeg, two_faces_jpeg
from tests.support.site import Site, wait_until


def test_twenty_photos_at_once_are_all_done(site: Site) -> None:
    person = site.sign_up("twenty@example.org")
    for number in range(20):
        assert person.upload(face_jpeg(), f"{number}.jpg").status_code == 201
    uploads = person.wait_until_finished()
    assert [upload["status"] for upload in uploads] == ["done"] * 20
    assert {tuple(face["label"] for face in upload["faces"]) for upload in uploads} == {("happy",)}
    assert {upload["name"] for upload in uploads} == {f"{number}.jpg" for number in range(20)}


def test_workers_do_not_connect_to_redis_for_each_hint(site: Site) -> None:
    person = site.sign_up("hints@example.org")

    def connections_of(n_photos: int) -> int:
        before = n_connections(site)
        for number in range(n_photos):
            assert person.upload(face_jpeg(), f"{number}.jpg").status_code == 201
        person.wait_until_finished()
        return n_connections(site) - before

    connections_of(4)  # Everything has connected once.
    assert connections_of(12) < 12


def n_connections(site: Site) -> int:
    """How many the site's Redis has had so far; this one does not count."""
    with redis.Redis(unix_socket_path=str(site.data_dir / "redis.sock")) as own_redis:
        return int(own_redis.info("stats")["total_connections_received"]) - 1


def test_photos_with_no_and_several_faces(site: Site) -> None:
    person = site.sign_up("faces@example.org")
    person.upload(no_face_jpeg(), "none.jpg")
    person.upload(two_faces_jpeg(), "two.jpg")
    faces = {upload["name"]: upload["faces"] for upload in person.wait_until_finished()}
    assert faces["none.jpg"] == []
    assert [face["label"] for face in faces["two.jpg"]].count("happy") >= 2


def test_a_strangers_upload_does_not_exist(site: Site) -> None:
    owner, stranger = site.sign_up("owner@example.org"), site.sign_up("other@example.org")
    upload = owner.upload(face_jpeg()).json()
    for link in upload["links"].values():
        path = link.removeprefix(site.url)
        assert owner.get(path).status_code == 200
        assert stranger.get(path).status_code == 404
        assert httpx.get(link).status_code == (401 if path.startswith("/api/") else 302)
    assert stranger.get(f"/api/v1/uploads/{upload['id']}/").status_code == 404
    assert stranger.get(f"/uploads/{upload['id']}/export.json").status_code == 404


def test_a_worker_explains_a_face(site: Site) -> None:
    owner, stranger = site.sign_up("why@example.org"), site.sign_up("curious@example.org")
    upload = owner.upload(face_jpeg()).json()
    owner.wait_until_finished()
    face = f"/uploads/{upload['id']}/faces/0/"
    of_others = set((site.data_dir / "media").rglob("*.png"))
    assert owner.get(f"{face}heat-map.png").status_code == 404
    assert stranger.post(f"{face}explain/").status_code == 404

    assert owner.post(f"{face}explain/").status_code == 302

    wait_until(lambda: owner.get(f"{face}heat-map.png").status_code == 200)
    response = owner.get(f"{face}heat-map.png")
    assert response.content.startswith(b"\x89PNG")
    assert response.headers["Cache-Control"] == "private, no-store"
    assert stranger.get(f"{face}heat-map.png").status_code == 404
    assert "mattered most: covering it drops “Happy”" in owner.get(f"/uploads/{upload['id']}/").text
    owner.delete_for_good(upload["id"])
    assert set((site.data_dir / "media").rglob("*.png")) == of_others


def test_the_sixth_wrong_password_is_refused(site: Site) -> None:
    site.sign_up("careless@example.org")
    person = site.sign_up("somebody@example.org")
    person.post("/accounts/logout/")
    person.get("/accounts/login/")
    for _attempt in range(5):
        form = {"login": "careless@example.org", "password": "wrong"}
        response = person.post("/accounts/login/", data=form)
        assert "not correct" in response.text
    form = {"login": "careless@example.org", "password": "a-good-password-7"}
    response = person.post("/accounts/login/", data=form)
    assert "Too many failed login attempts" in response.text


def test_a_worker_killed_in_the_middle_of_a_batch_loses_and_repeats_nothing(
    own_site: Site,
) -> None:
    person = own_site.sign_up("batch@example.org")
    for number in range(20):
        assert person.upload(two_faces_jpeg(), f"{number}.jpg").status_code == 201
    wait_until(lambda: sum(u["status"] == "done" for u in person.uploads()) >= 2)
    own_site.kill("worker")
    left = [u for u in person.uploads() if u["status"] != "done"]
    assert left, "the batch was over before the worker was killed"
    own_site.start("worker")
    uploads = person.wait_until_finished()
    assert [upload["status"] for upload in uploads] == ["done"] * 20
    assert len({len(upload["faces"]) for upload in uploads}) == 1, "a face was written twice"


def test_without_redis_uploads_are_accepted_and_finish_when_it_is_back(own_site: Site) -> None:
    person = own_site.sign_up("patient@example.org")
    own_site.kill("redis")
    assert person.upload(face_jpeg()).status_code == 201
    assert person.get("/uploads/").status_code == 200
    health = health_of(own_site, 503)
    assert health.json()["redis"] == "unavailable"
    assert health.json()["database"] == "ok"
    own_site.start("redis")
    (upload,) = person.wait_until_finished()
    assert upload["status"] == "done"
    assert wait_until(own_site.is_healthy)


def health_of(site: Site, status_code: int) -> httpx.Response:
    """The answer of /healthz once it is the expected one: an answer stands for a moment."""

    def answer() -> httpx.Response | None:
        response = httpx.get(f"{site.url}/healthz", timeout=15)
        return response if response.status_code == status_code else None

    response: httpx.Response = wait_until(answer, timeout=15)
    return response


def test_health_tells_that_no_worker_is_there(own_site: Site) -> None:
    own_site.kill("worker")
    assert health_of(own_site, 503).json() == {
        "status": "unavailable",
        "database": "ok",
        "redis": "ok",
        "worker": "unavailable",
        "model": "ok",
        "model_version": read_manifest(settings.MODEL_MANIFEST).version,
    }


@pytest.mark.parametrize("path", ["/", "/about/", "/accounts/login/", "/accounts/signup/"])
def test_static_files_of_a_page_are_served(site: Site, path: str) -> None:
    import re

    page = httpx.get(site.url + path)
    assert page.status_code == 200
    files = re.findall(r'(?:href|src)="(/static/[^"#]+)', page.text)
    assert len(files) >= 5
    for file in files:
        assert httpx.get(site.url + file).status_code == 200


def test_redis_listens_on_a_socket_of_its_user_alone(site: Site) -> None:
    path = site.data_dir / "redis.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with redis.Redis(unix_socket_path=str(path)) as client:
        assert client.info("server")["tcp_port"] == 0


def test_without_a_redis_on_path_a_current_valkey_comes_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    program = find_redis_server()
    assert program is not None
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert re.search(r"v=9\.\d+\.\d+", said.stdout)
