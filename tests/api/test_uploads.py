"""Uploads through the interface: one, many, filtered, repeated, waited for."""

from __future__ import annotations

import base64
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, User
from recognition import tasks
from recognition.api import waiting
from recognition.models import Upload
from tests.support.factories import add_face, make_upload
from tests.support.pictures import no_face_jpeg
from tests.support.requests import photo

#: Waiting closes the connection that holds the test's transaction; the running site waits on every
#: database.
closes_connections = pytest.mark.skipif(
    "DATABASE_URL" in os.environ, reason="SQLite in memory alone"
)

UPLOADS = "/api/v1/uploads/"


def names(client: Client, query: str) -> list[str]:
    response = client.get(f"{UPLOADS}?{query}")
    assert response.status_code == 200, response.content
    return [upload["name"] for upload in response.json()["results"]]


def test_several_photos_are_answered_one_by_one(alice_client: Client, face_jpeg: bytes) -> None:
    files = [photo(face_jpeg, "1.jpg"), photo(b"text", "2.jpg"), photo(no_face_jpeg(), "3.jpg")]
    response = alice_client.post(UPLOADS, {"image": files})
    assert response.status_code == 207
    body = response.json()
    assert (body["accepted"], body["refused"]) == (2, 1)
    assert [result["name"] for result in body["results"]] == ["1.jpg", "2.jpg", "3.jpg"]
    first, second, third = body["results"]
    assert (first["error"], third["error"], second["upload"]) == (None, None, None)
    assert (second["error"]["code"], second["error"]["status"]) == ("format_not_accepted", 415)
    assert {first["upload"]["id"], third["upload"]["id"]} == {
        str(pk) for pk in Upload.objects.values_list("pk", flat=True)
    }


def test_several_good_photos_are_201(alice_client: Client, face_jpeg: bytes) -> None:
    files = [photo(face_jpeg, "1.jpg"), photo(no_face_jpeg(), "2.jpg")]
    response = alice_client.post(UPLOADS, {"image": files})
    assert (response.status_code, response.json()["refused"]) == (201, 0)


def test_too_many_files_are_a_problem(alice_client: Client, settings: Any) -> None:
    files = [photo(b"x") for _ in range(settings.DATA_UPLOAD_MAX_NUMBER_FILES + 1)]
    response = alice_client.post(UPLOADS, {"image": files})
    assert (response.status_code, response.json()["code"]) == (400, "too_many_files")


def test_a_request_larger_than_all_photos_is_not_read(alice_client: Client) -> None:
    response = alice_client.post(UPLOADS, {"image": photo(b"x")}, CONTENT_LENGTH=str(10**10))
    assert response.status_code == 413


def test_the_same_file_again_is_told(alice_client: Client, bob: User, face_jpeg: bytes) -> None:
    sha256 = alice_client.post(UPLOADS, {"image": photo(face_jpeg)}).json()["sha256"]
    make_upload(bob, sha256=sha256)
    first, second = Upload.objects.get(owner__email="alice@example.org"), None
    response = alice_client.post(UPLOADS, {"image": photo(face_jpeg, "again.jpg")})
    second = response.json()
    assert (response.status_code, second["duplicate_of"]) == (201, str(first.pk))
    assert alice_client.get(f"{UPLOADS}{first.pk}/").json()["duplicate_of"] is None
    refused = alice_client.post(f"{UPLOADS}?duplicates=reject", {"image": photo(face_jpeg)})
    assert (refused.status_code, refused.json()["code"]) == (409, "duplicate")
    assert refused.json()["duplicate_of"] == str(first.pk)
    assert Upload.objects.filter(owner=first.owner).count() == 2


def test_filters(alice: User, alice_client: Client, bob: User) -> None:
    old = make_upload(alice, "Old.jpg")
    Upload.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=3))
    add_face(old, "sad", uncertain=True)
    new = make_upload(alice, "new.jpg")
    add_face(new, "happy")
    corrected = make_upload(alice, "corrected.jpg")
    add_face(corrected, "happy", correction="sad")
    add_face(corrected, "neutral", 1, correction="not_a_face")
    make_upload(alice, "failed.jpg", status="failed")
    add_face(make_upload(bob, "bobs.jpg"), "sad")
    assert names(alice_client, "label=sad") == ["corrected.jpg", "Old.jpg"]
    assert names(alice_client, "label=happy") == ["new.jpg"]
    assert names(alice_client, "label=neutral") == []
    assert names(alice_client, "uncertain=true") == ["Old.jpg"]
    assert names(alice_client, "status=failed") == ["failed.jpg"]
    assert len(names(alice_client, "status=failed&status=done")) == 4
    assert names(alice_client, "name=OLD") == ["Old.jpg"]
    yesterday = (timezone.now() - timedelta(days=1)).isoformat().replace("+", "%2B")
    assert names(alice_client, f"created_before={yesterday}") == ["Old.jpg"]
    assert "Old.jpg" not in names(alice_client, f"created_after={yesterday}")
    assert names(alice_client, "order=name")[0] == "Old.jpg"
    assert names(alice_client, "order=created_at")[0] == "Old.jpg"


@pytest.mark.parametrize(
    "query",
    ["status=nope", "label=angry", "uncertain=maybe", "created_after=noon", "order=size",
     "page_size=0", "page_size=201", "page_size=x"],
)  # fmt: skip
def test_what_a_list_cannot_be_narrowed_to_is_refused(query: str, alice_client: Client) -> None:
    response = alice_client.get(f"{UPLOADS}?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert list(response.json()["errors"]) == [query.partition("=")[0]]


@pytest.mark.parametrize("order", ["-created_at", "name"])
def test_pages_hold_every_upload_once(order: str, alice: User, alice_client: Client) -> None:
    for _number in range(7):
        make_upload(alice, "the-same.jpg")
    found: list[str] = []
    path: str | None = f"{UPLOADS}?page_size=2&order={order}"
    while path:
        page = alice_client.get(path).json()
        found += [upload["id"] for upload in page["results"]]
        path = page["next"]
    assert len(found) == len(set(found)) == 7


@pytest.mark.parametrize("cursor", ["x", "cD14", "%00", "é"])
def test_a_made_up_cursor_is_not_found(cursor: str, alice_client: Client) -> None:
    response = alice_client.get(UPLOADS, {"cursor": cursor})
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("position", "status"),
    [(b"9999-12-31T23:59:59-23:59", 404), (b"2026-01-01T00:00:00%2B23:59", 200)],
    ids=["beyond the calendar", "an offset that PostgreSQL does not know"],
)
def test_a_cursor_that_databases_refuse_is_no_error(
    position: bytes, status: int, alice_client: Client
) -> None:
    cursor = base64.b64encode(b"p=" + position).decode()
    assert alice_client.get(UPLOADS, {"cursor": cursor}).status_code == status


def test_beyond_the_last_upload_there_is_none(alice_client: Client, alice_upload: Upload) -> None:
    far = base64.b64encode(b"o=" + b"9" * 22).decode()
    response = alice_client.get(UPLOADS, {"cursor": far})
    assert (response.status_code, response.json()["results"]) == (200, [])


def test_a_token_reads_pictures_and_one_for_reading_changes_nothing(
    alice: User, alice_upload: Upload
) -> None:
    _token, key = tokens.create(alice, "script", ApiToken.Scope.READ, None)
    client = Client(headers={"Authorization": f"Bearer {key}"})
    links = client.get(f"{UPLOADS}{alice_upload.pk}/").json()["links"]
    for name in ("image", "thumbnail"):
        response = client.get(links[name])
        assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
        assert response.content.startswith(b"\xff\xd8")
    response = client.delete(f"{UPLOADS}{alice_upload.pk}/")
    assert (response.status_code, response.json()["code"]) == (403, "token_scope")
    assert Upload.objects.exists()


def test_without_its_photo_an_upload_says_so(alice_client: Client, alice_upload: Upload) -> None:
    Upload.objects.update(image="", photo_deleted_at=timezone.now())
    body = alice_client.get(f"{UPLOADS}{alice_upload.pk}/").json()
    assert body["links"]["image"] is None
    assert body["photo_deleted_at"] is not None
    response = alice_client.get(f"{UPLOADS}{alice_upload.pk}/image/")
    assert (response.status_code, response.json()["code"]) == (410, "photo_deleted")


@pytest.mark.parametrize("wait", ["-1", "31", "x", "1.5"])
def test_a_wait_that_is_none_is_refused(wait: str, alice_client: Client) -> None:
    response = alice_client.get(f"{UPLOADS}?wait={wait}")
    assert response.status_code == 200  # Lists do not wait.
    response = alice_client.post(f"{UPLOADS}?wait={wait}", {"image": photo(b"")})
    assert (response.status_code, list(response.json()["errors"])) == (400, ["wait"])


@closes_connections
def test_waiting_ends_with_202_when_the_time_is_over(
    alice_client: Client, face_jpeg: bytes
) -> None:
    began = time.monotonic()
    response = alice_client.post(f"{UPLOADS}?wait=1", {"image": photo(face_jpeg)})
    assert (response.status_code, response.json()["status"]) == (202, "pending")
    assert time.monotonic() - began >= 1
    response = alice_client.get(f"{response['Location']}?wait=1")
    assert response.status_code == 202


@closes_connections
def test_what_is_finished_is_not_waited_for(alice: User, alice_client: Client) -> None:
    upload = make_upload(alice, thumbnail="x")
    began = time.monotonic()
    response = alice_client.get(f"{UPLOADS}{upload.pk}/?wait=30")
    assert (response.status_code, response.json()["status"]) == (200, "done")
    assert time.monotonic() - began < 30


@pytest.fixture
def reads_beside_a_writer(transactional_db: None) -> Iterator[None]:
    """In SQLite's shared memory readers beside a writer get an error; in a file they do not."""

    def switch(on: int) -> None:
        if connection.vendor == "sqlite":
            connection.cursor().execute(f"PRAGMA read_uncommitted = {on}")

    switch(1)
    yield
    switch(0)


@pytest.mark.usefixtures("reads_beside_a_writer")
def test_waiting_ends_with_the_result(alice_client: Client, alice_upload: Upload) -> None:
    def work() -> None:
        time.sleep(0.5)
        tasks.process_upload.apply((str(alice_upload.pk),), throw=True)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        response = alice_client.get(f"{UPLOADS}{alice_upload.pk}/?wait=30")
    finally:
        worker.join()
    assert (response.status_code, response.json()["status"]) == (200, "done")
    assert [face["label"] for face in response.json()["faces"]] == ["happy"]


@pytest.mark.parametrize("many", ["people", "of one"])
def test_where_too_many_wait_already_the_answer_comes_at_once(
    many: str, alice_client: Client, alice_upload: Upload, settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """One person leaves places to others."""
    others = dict.fromkeys(range(10**6, 10**6 + settings.API_MAXIMUM_WAITING), 1)
    own = {alice_upload.owner_id: waiting.MAXIMUM_OF_ONE}
    monkeypatch.setattr(waiting, "_waiting", Counter(others if many == "people" else own))
    began = time.monotonic()
    response = alice_client.get(f"{UPLOADS}{alice_upload.pk}/?wait=30")
    assert response.status_code == 202
    assert time.monotonic() - began < 30
