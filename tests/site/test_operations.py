"""What an operator sees of the running site: its log and its metrics."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.page_client import PageClient
from tests.support.pictures import face_jpeg
from tests.support.site import Person, Site, wait_until

TOKEN = "a-token-of-prometheus"
EMAIL = "watched.person@example.org"
FILE_NAME = "a-very-private-name.jpg"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("watched")
    with Site(folder, LOG_FORMAT="json", METRICS_TOKEN=TOKEN) as site:
        yield site


@pytest.fixture(scope="module")
def person(watched: Site) -> Person:
    return watched.sign_up(EMAIL).accept_camera()


def log_lines(site: Site, *names: str) -> list[dict[str, Any]]:
    """The objects of the processes' logs; fails where a line is none."""
    lines: list[dict[str, Any]] = []
    for name in names or ("web", "worker", "scheduler"):
        text = (site.data_dir / f"{name}.log").read_text()
        # LiteRT writes a line of its own, past Python.
        own = [line for line in text.splitlines() if not line.startswith("INFO: Created Tensor")]
        lines += [json.loads(line) for line in own]
    return lines


def measures(site: Site) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    response = httpx.get(f"{site.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def value(site: Site, name: str, **labels: str) -> float:
    return measures(site).get(name, {}).get(frozenset(labels.items()), 0.0)


def test_a_request_id_goes_from_the_request_through_the_task(watched: Site, person: Person) -> None:
    given = uuid.uuid4().hex
    token = person.http.cookies["csrftoken"]
    response = person.http.post(
        "/api/v1/uploads/",
        files={"image": (FILE_NAME, face_jpeg())},
        headers={"X-CSRFToken": token, "X-Request-ID": given},
    )
    assert response.status_code == 201
    assert response.headers["X-Request-ID"] == given
    person.wait_until_finished()

    def of_task() -> list[dict[str, Any]]:
        lines = log_lines(watched, "worker")
        return [line for line in lines if line["request_id"] == given and "task" in line]

    (task,) = wait_until(of_task, timeout=10)
    assert (task["task"], task["state"]) == ("recognition.process_upload", "SUCCESS")
    (request,) = [line for line in log_lines(watched, "web") if line["request_id"] == given]
    assert (request["method"], request["status"]) == ("POST", 201)
    assert request["route"] == "api/v1/uploads/"
    assert request["milliseconds"] > 0


@pytest.mark.parametrize("given", ["x\r\nforged: line", "a" * 5000, "<script>", ""])
def test_an_id_that_is_none_is_replaced(watched: Site, given: str) -> None:
    headers = {"X-Request-ID": given.replace("\r\n", " ")}
    made = httpx.get(f"{watched.url}/about/", headers=headers).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", made)


def test_no_line_of_the_log_tells_who_or_what(watched: Site, person: Person) -> None:
    """Tried with what people do, with failures, and with an error that carries an address."""
    person.upload(b"no photo", FILE_NAME)
    person.get(f"/uploads/?q={FILE_NAME}")
    Person(watched.url).post("/accounts/login/", data={"login": EMAIL, "password": "wrong"})
    person.get(f"/nothing/{EMAIL}/")
    watched.sign_up("other.person@example.org")
    lines = wait_until(lambda: log_lines(watched))
    text = json.dumps(lines)
    for secret in (EMAIL, "other.person", FILE_NAME, "a-good-password-7", "wrong"):
        assert secret not in text
    assert all({"time", "level", "logger", "message", "process"} <= set(line) for line in lines)


def test_metrics_tell_of_an_upload_from_both_sides(watched: Site, person: Person) -> None:
    done = {"status": "done", "code": ""}
    before = value(watched, "visage_uploads_finished_total", **done)
    person.upload(face_jpeg())
    person.upload(b"no photo")
    person.wait_until_finished()
    # Each process hands over its sums by itself.
    refused = {"code": "format_not_accepted"}
    wait_until(lambda: value(watched, "visage_uploads_finished_total", **done) > before)
    wait_until(lambda: value(watched, "visage_uploads_refused_total", **refused) >= 1)
    found = measures(watched)
    stages = {dict(labels)["stage"] for labels in found["visage_stage_seconds_count"]}
    assert stages == {"clean", "read", "decode", "detect", "classify", "save"}
    for labels, count in found["visage_stage_seconds_count"].items():
        everything = frozenset({*labels, ("le", "+Inf")})
        assert found["visage_stage_seconds_bucket"][everything] == count
        assert 0 < found["visage_stage_seconds_sum"][labels] < 10 * count
    posts = found["visage_http_request_seconds_count"]
    created = {"method": "POST", "route": "api/v1/uploads/", "status": "201"}
    assert posts[frozenset(created.items())] >= 1
    assert found["visage_redis_up"][frozenset()] == 1
    waited = found["visage_task_waited_seconds_count"]
    assert waited[frozenset({("queue", "interactive")})] >= 1


def test_a_failure_is_counted_with_its_reason(watched: Site, person: Person) -> None:
    watched.kill("worker")
    try:
        person.upload(face_jpeg())
        for file in (watched.data_dir / "media").rglob("*.jpg"):
            file.unlink()
    finally:
        watched.start("worker")
    failed = {"status": "failed", "code": "photo_missing"}
    wait_until(lambda: value(watched, "visage_uploads_finished_total", **failed) == 1)


def test_the_queue_and_its_age_show_what_waits(watched: Site, person: Person) -> None:
    watched.kill("worker")
    try:
        person.upload(face_jpeg())
        assert value(watched, "visage_queue_messages", queue="interactive") >= 1
        assert value(watched, "visage_uploads", status="pending") >= 1
        wait_until(lambda: value(watched, "visage_queue_oldest_seconds", queue="interactive") > 1)
    finally:
        watched.start("worker")
    wait_until(lambda: value(watched, "visage_queue_messages", queue="interactive") == 0)
    wait_until(lambda: value(watched, "visage_uploads", status="pending") == 0)


async def test_live_sockets_and_frames_are_measured(watched: Site, person: Person) -> None:
    cookie = f"sessionid={person.http.cookies['sessionid']}"
    async with PageClient(watched.url, cookie) as live:
        await live.label(face_jpeg())
        wait_until(lambda: value(watched, "visage_open_sockets", kind="live") == 1)
    wait_until(lambda: value(watched, "visage_live_answer_seconds_count") == 1)
    assert value(watched, "visage_live_processing_seconds_count") == 1
    wait_until(lambda: value(watched, "visage_open_sockets", kind="live") == 0)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", TOKEN, "Bearer \xff"])
def test_without_the_token_there_are_no_metrics(watched: Site, header: str) -> None:
    headers = {"Authorization": header.encode("latin-1")}
    assert httpx.get(f"{watched.url}/metrics", headers=headers).status_code == 404


def test_without_redis_metrics_still_tell_what_the_database_knows(watched: Site) -> None:
    watched.kill("redis")
    try:
        assert value(watched, "visage_redis_up") == 0
        assert "visage_uploads" in measures(watched)
    finally:
        watched.start("redis")
    wait_until(watched.is_healthy)
    assert value(watched, "visage_redis_up") == 1


def test_they_are_off_by_default(site: Site) -> None:
    for header in ("Bearer", "Bearer None"):
        response = httpx.get(f"{site.url}/metrics", headers={"Authorization": header})
        assert response.status_code == 404
