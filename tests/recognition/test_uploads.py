"""Creating, retrying and deleting uploads: nothing half-stored, nothing left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from recognition import tasks
from recognition.models import Upload
from recognition.uploads import actions
from recognition.vision.errors import ImageError


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def stored(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def test_a_photo_is_kept_with_its_thumbnail_under_names_that_tell_nothing(
    alice_upload: Upload, media: Path
) -> None:
    assert (alice_upload.width, alice_upload.height) == (512, 512)
    assert alice_upload.name == "party.jpg"
    assert len(stored(media)) == 2
    for path in stored(media):
        assert "party" not in str(path)
        assert path.stat().st_mode & 0o077 == 0


def test_a_refused_file_leaves_nothing(alice: User, media: Path) -> None:
    with pytest.raises(ImageError):
        actions.create_upload(alice, SimpleUploadedFile("a.jpg", b"text"))
    assert not Upload.objects.exists()
    assert stored(media) == []


def test_a_database_that_fails_leaves_no_files(
    alice: User, face_jpeg: bytes, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(Upload, "save", broken)
    with pytest.raises(RuntimeError):
        actions.create_upload(alice, SimpleUploadedFile("a.jpg", face_jpeg))
    assert stored(media) == []


@pytest.mark.django_db(transaction=True)
def test_without_redis_an_upload_is_accepted_and_left_to_the_sweep(
    alice: User, face_jpeg: bytes
) -> None:
    upload = actions.create_upload(alice, SimpleUploadedFile("a.jpg", face_jpeg))
    upload.refresh_from_db()
    assert upload.status == Upload.Status.PENDING
    assert upload.queued_at is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("delete", ["uploads", "account"])
def test_deleting_takes_the_files_along(alice_upload: Upload, media: Path, delete: str) -> None:
    assert stored(media)
    if delete == "uploads":
        assert actions.delete_uploads(Upload.objects.all()) == 1
    else:
        alice_upload.owner.delete()
    assert stored(media) == []


def test_a_task_that_comes_after_the_deletion_recreates_nothing(alice_upload: Upload) -> None:
    upload_id = str(alice_upload.pk)
    actions.delete_uploads(Upload.objects.all())
    tasks.process_upload.apply((upload_id,), throw=True)
    assert not Upload.objects.exists()


def test_a_stored_photo_that_cannot_be_read_fails_with_a_reason(
    alice_upload: Upload, face_jpeg: bytes
) -> None:
    Path(alice_upload.image.path).write_bytes(face_jpeg[:9000])
    tasks.process_upload.apply((str(alice_upload.pk),), throw=True)
    alice_upload.refresh_from_db()
    assert alice_upload.status == Upload.Status.FAILED
    assert alice_upload.error_code == "damaged"
    assert alice_upload.error_message


def test_a_photo_that_vanished_fails_with_a_reason(alice_upload: Upload) -> None:
    Path(alice_upload.image.path).unlink()
    tasks.process_upload.apply((str(alice_upload.pk),), throw=True)
    alice_upload.refresh_from_db()
    assert (alice_upload.status, alice_upload.error_code) == ("failed", "photo_missing")


def test_a_passing_fault_is_tried_three_times_and_then_told(
    alice_upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(upload: Upload) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr("recognition.model_registry.inference.predict_upload", broken)
    for attempt in (1, 2):
        tasks.process_upload.apply((str(alice_upload.pk),), throw=True)
        alice_upload.refresh_from_db()
        assert (alice_upload.status, alice_upload.attempts) == ("pending", attempt)
    tasks.process_upload.apply((str(alice_upload.pk),), throw=True)
    alice_upload.refresh_from_db()
    assert (alice_upload.status, alice_upload.error_code) == ("failed", "gave_up")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("holiday.jpg", "holiday.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\me.png", "me.png"),
        ("a\x00b\u202egpj.exe", "abgpj.exe"),
        ("x" * 300, "x" * 255),
        ("", "photo"),
        ("\u200b", "photo"),
    ],
)
def test_names_are_shown_without_folders_and_tricks(given: str, shown: str) -> None:
    assert actions.clean_name(given) == shown
