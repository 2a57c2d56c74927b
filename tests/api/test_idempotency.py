"""Repeated requests: nothing is created twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from recognition import tasks
from recognition.api.idempotency import STALE_SECONDS
from recognition.models import IdempotencyKey, Upload
from recognition.uploads import actions
from recognition.vision.decoding.pool import DecodingBusy, DecodingPool
from tests.support.pictures import no_face_jpeg
from tests.support.requests import photo

UPLOADS = "/api/v1/uploads/"


def post(client: Client, *files: bytes, key: str = "k-1", query: str = "") -> Any:
    images = [photo(data, f"{number}.jpg") for number, data in enumerate(files)]
    return client.post(UPLOADS + query, {"image": images}, headers={"Idempotency-Key": key})


def test_the_same_request_creates_once(alice_client: Client, face_jpeg: bytes) -> None:
    first, second = post(alice_client, face_jpeg), post(alice_client, face_jpeg)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert second["Location"] == first["Location"]
    assert Upload.objects.count() == 1


def test_several_photos_are_repeated_as_several(alice_client: Client, face_jpeg: bytes) -> None:
    first = post(alice_client, face_jpeg, b"text")
    second = post(alice_client, face_jpeg, b"text")
    assert (first.status_code, second.status_code) == (207, 207)
    assert first.json() == second.json()
    assert Upload.objects.count() == 1


def test_another_request_with_the_same_key_is_refused(
    alice_client: Client, face_jpeg: bytes
) -> None:
    post(alice_client, face_jpeg)
    for response in (
        post(alice_client, no_face_jpeg()),
        post(alice_client, face_jpeg, face_jpeg),
        post(alice_client, face_jpeg, query="?duplicates=reject"),
    ):
        assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert Upload.objects.count() == 1


def test_keys_are_each_persons_own(
    alice_client: Client, bob_client: Client, face_jpeg: bytes
) -> None:
    ids = {post(client, face_jpeg).json()["id"] for client in (alice_client, bob_client)}
    assert len(ids) == 2


def test_while_the_first_is_being_answered_the_second_waits(
    alice_client: Client, face_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    create = actions.create_upload

    def slow(*args: Any, **kwargs: Any) -> Upload:
        monkeypatch.setattr(actions, "create_upload", create)
        answers.append(post(alice_client, face_jpeg))
        return create(*args, **kwargs)

    monkeypatch.setattr(actions, "create_upload", slow)
    assert post(alice_client, face_jpeg).status_code == 201
    assert (answers[0].status_code, answers[0].json()["code"]) == (409, "request_in_progress")
    assert int(answers[0]["Retry-After"]) >= 1
    assert Upload.objects.count() == 1


def test_a_request_that_died_in_the_middle_is_gone_on_with(
    alice_client: Client, face_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = actions.create_upload
    alice_client.raise_request_exception = False

    def dies(owner: Any, file: Any, **options: Any) -> Upload:
        if file.name == "1.jpg":
            raise RuntimeError("power cut")
        return create(owner, file, **options)

    monkeypatch.setattr(actions, "create_upload", dies)
    response = post(alice_client, face_jpeg, no_face_jpeg())
    assert (response.status_code, response.json()["code"]) == (500, "server_error")
    half = Upload.objects.get()
    monkeypatch.setattr(actions, "create_upload", create)
    response = post(alice_client, face_jpeg, no_face_jpeg())
    assert (response.status_code, response.json()["accepted"]) == (201, 2)
    assert response.json()["results"][0]["upload"]["id"] == str(half.pk)
    assert Upload.objects.count() == 2


def test_who_was_taken_for_dead_creates_nothing_beside_who_took_over(
    alice_client: Client, face_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first hangs in its second photo, its repetition does the rest, and the first wakes."""
    answers = []
    create = actions.create_upload

    def hangs(owner: Any, file: Any, **options: Any) -> Upload:
        if file.name == "1.jpg":
            monkeypatch.setattr(actions, "create_upload", create)
            long_ago = timezone.now() - timedelta(seconds=2 * STALE_SECONDS)
            IdempotencyKey.objects.update(created_at=long_ago)
            answers.append(post(alice_client, face_jpeg, no_face_jpeg()))
        return create(owner, file, **options)

    monkeypatch.setattr(actions, "create_upload", hangs)
    late = post(alice_client, face_jpeg, no_face_jpeg())
    assert (answers[0].status_code, answers[0].json()["accepted"]) == (201, 2)
    assert (late.status_code, late.json()["code"]) == (409, "request_in_progress")
    assert Upload.objects.count() == 2


def test_what_was_refused_may_be_tried_again(alice_client: Client) -> None:
    assert post(alice_client, b"text").status_code == 415
    assert not IdempotencyKey.objects.exists()


def test_what_was_deleted_does_not_come_back(alice_client: Client, face_jpeg: bytes) -> None:
    upload = post(alice_client, face_jpeg).json()
    assert "0.jpg" not in str(IdempotencyKey.objects.get().response)
    alice_client.delete(f"{UPLOADS}{upload['id']}/")
    response = post(alice_client, face_jpeg)
    assert (response.status_code, response.json()["code"]) == (410, "deleted_since")
    assert not Upload.objects.exists()


def test_keys_are_forgotten_after_a_day(alice_client: Client, face_jpeg: bytes) -> None:
    post(alice_client, face_jpeg)
    post(alice_client, no_face_jpeg(), key="k-2")
    long_ago = timezone.now() - timedelta(hours=25)
    IdempotencyKey.objects.filter(key="k-1").update(created_at=long_ago)
    assert post(alice_client, no_face_jpeg(), key="k-1").status_code == 201
    IdempotencyKey.objects.filter(key="k-1").update(created_at=long_ago)
    tasks.sweep_api.apply(throw=True)
    assert [row.key for row in IdempotencyKey.objects.all()] == ["k-2"]


@pytest.mark.parametrize("key", ["", "x" * 256, "käse", "a\tb"])
def test_a_key_that_is_none_is_refused(key: str, alice_client: Client, face_jpeg: bytes) -> None:
    response = post(alice_client, face_jpeg, key=key)
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert not Upload.objects.exists()


def test_where_too_many_photos_come_the_repetition_goes_on_from_there(
    alice_client: Client, face_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of two is accepted, and there is no turn for the second."""
    pool = actions.decoding_pool()
    photos = iter([True, False])

    def clean(file: Any, whose: Any, patience: Any) -> Any:
        if next(photos):
            return DecodingPool.clean(pool, file, whose, patience)
        raise DecodingBusy

    with monkeypatch.context() as busy:
        busy.setattr(pool, "clean", clean)
        first = post(alice_client, face_jpeg, no_face_jpeg())
    assert (first.status_code, first.json()["code"]) == (503, "busy")
    assert first["Retry-After"] == "10"
    assert Upload.objects.count() == 1
    second = post(alice_client, face_jpeg, no_face_jpeg())
    assert (second.status_code, second.json()["accepted"]) == (201, 2)
    assert Upload.objects.count() == 2


def test_without_a_key_each_photo_has_its_own_answer(
    alice_client: Client, face_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clean(file: Any, whose: Any, patience: Any) -> Any:
        raise DecodingBusy

    monkeypatch.setattr(actions.decoding_pool(), "clean", clean)
    answer = alice_client.post(UPLOADS, {"image": [photo(face_jpeg), photo(face_jpeg)]})
    assert answer.status_code == 207
    assert [result["error"]["code"] for result in answer.json()["results"]] == ["busy", "busy"]
