"""A photo with hundreds of faces takes long, and keeps nobody else waiting for as long."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from recognition import tasks
from recognition.models import Prediction, Upload
from recognition.models import uploads as upload_models
from recognition.uploads import waiting
from recognition.uploads.actions import create_upload
from tests.support.pictures import crowd, encode

N_FACES = 6


@pytest.fixture
def crowded(alice: User) -> Upload:
    return send(alice, encode(crowd(3, 2)[0]))


def send(owner: User, photo: bytes) -> Upload:
    return create_upload(owner, SimpleUploadedFile("a.jpg", photo))


def look_at(upload: Upload) -> None:
    tasks.process_upload.apply((str(upload.pk),), throw=True)
    upload.refresh_from_db()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none: others are asked for between any two faces."""
    monkeypatch.setattr(waiting, "AGAIN_SECONDS", 0.0)


@pytest.mark.usefixtures("patience")
def test_what_others_wait_for_is_looked_at_in_between(
    crowded: Upload, alice: User, bob: User, face_jpeg: bytes
) -> None:
    others = [send(bob, face_jpeg), send(bob, face_jpeg)]
    own = send(alice, face_jpeg)
    look_at(crowded)
    assert crowded.status == "done"
    assert crowded.predictions.count() == N_FACES
    for photo in others:
        photo.refresh_from_db()
        assert (photo.status, photo.predictions.count()) == ("done", 1)
        assert photo.finished_at < crowded.finished_at
    own.refresh_from_db()
    assert own.status == "pending", "one person's crowds are not looked at within each other"


@pytest.mark.usefixtures("patience")
def test_batches_of_others_wait(
    crowded: Upload, bob: User, face_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MANY_WAITING", 1)
    batch = [send(bob, face_jpeg), send(bob, face_jpeg)]
    look_at(crowded)
    assert crowded.status == "done"
    assert {Upload.objects.get(pk=one.pk).status for one in batch} == {"pending"}


@pytest.mark.usefixtures("patience")
def test_others_have_so_many_seconds_of_it(
    crowded: Upload, bob: User, face_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "OTHERS_SECONDS", 1e-6)
    others = [send(bob, face_jpeg) for _ in range(3)]
    look_at(crowded)
    assert crowded.status == "done"
    assert [Upload.objects.get(pk=one.pk).status for one in others].count("done") <= 1


def between_two_faces(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    original = waiting.BetweenFaces.__call__

    def call(self: waiting.BetweenFaces) -> None:
        do()
        original(self)

    monkeypatch.setattr(waiting.BetweenFaces, "__call__", call)


@pytest.mark.usefixtures("patience")
def test_one_that_is_deleted_meanwhile_is_not_looked_at_any_further(
    crowded: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def delete() -> None:
        calls.append(1)
        Upload.objects.filter(pk=crowded.pk).delete()

    between_two_faces(monkeypatch, delete)
    tasks.process_upload.apply((str(crowded.pk),), throw=True)
    assert len(calls) == 1
    assert not Prediction.objects.exists()


def test_the_page_tells_where_the_search_ended(
    crowded: Upload, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_at(crowded)
    sentence = "There may be more faces: Visage stops at 6 in one photo."
    assert sentence not in alice_client.get(crowded.get_absolute_url()).text
    monkeypatch.setattr(upload_models, "MAXIMUM_FACES", N_FACES)
    assert sentence in alice_client.get(crowded.get_absolute_url()).text
