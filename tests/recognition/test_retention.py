"""How long photos are kept: what goes, what stays, and when."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.models import User
from recognition import tasks
from recognition.models import Upload
from recognition.uploads import retention
from recognition.uploads.actions import create_upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def stored(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def age(upload: Upload, days: float, status: str = "done") -> Upload:
    created = timezone.now() - timedelta(days=days)
    Upload.objects.filter(pk=upload.pk).update(created_at=created, status=status)
    return upload


def choose(user: User, days: int | None) -> None:
    user.photo_retention_days = days
    user.save()


def is_gone(upload: Upload) -> bool:
    upload.refresh_from_db()
    assert bool(upload.image) == (upload.photo_deleted_at is None)
    return upload.photo_deleted_at is not None


@pytest.mark.parametrize(
    ("chosen", "default", "maximum", "kept"),
    [
        (None, None, None, None),
        (7, None, None, 7),
        (0, 30, None, 0),
        (None, 30, None, 30),
        (365, None, 30, 30),
        (None, None, 30, 30),
        (retention.FOR_EVER, 30, None, None),
        (retention.FOR_EVER, 30, 90, 90),
    ],
)
def test_the_maximum_holds_the_choice_and_the_default(
    settings: Any, chosen: int | None, default: int | None, maximum: int | None, kept: int | None
) -> None:
    settings.RETENTION_DEFAULT_DAYS, settings.RETENTION_MAXIMUM_DAYS = default, maximum
    assert retention.days_kept(chosen) == kept
    offered = [days for days, _name in retention.choices()]
    assert retention.nearest(chosen) in offered
    assert len({name for _days, name in retention.choices()}) == len(offered)
    assert all(maximum is None or (retention.days_kept(n) or 0) <= maximum for n in offered)


def test_a_photo_goes_when_it_is_due_and_its_results_stay(
    alice: User, alice_upload: Upload, alice_client: Client, media: Path
) -> None:
    tasks.process_upload.apply((str(alice_upload.pk),), throw=True)
    choose(alice, 7)
    age(alice_upload, 6.9)
    with alice_upload.thumbnail.open() as file:
        sharp = file.read()
    assert retention.remove_due_photos() == 0
    age(alice_upload, 7.1)
    assert retention.remove_due_photos() == 1
    assert retention.remove_due_photos() == 0
    assert is_gone(alice_upload)
    assert [face.label for face in alice_upload.faces] == ["happy"]
    (left,) = stored(media)
    thumbnail = Image.open(io.BytesIO(left.read_bytes()))
    assert thumbnail.size == Image.open(io.BytesIO(sharp)).size
    # Hardly any detail is left: neighbouring pixels are nearly the same.
    steps = [
        np.abs(np.diff(np.asarray(Image.open(io.BytesIO(data)).convert("L"), float))).max()
        for data in (sharp, left.read_bytes())
    ]
    assert steps[1] < steps[0] / 5
    page = alice_client.get(alice_upload.get_absolute_url()).content.decode()
    assert "This photo was deleted on" in page
    assert f"/uploads/{alice_upload.pk}/image/" not in page
    assert "Happy" in page
    assert alice_client.get(f"/uploads/{alice_upload.pk}/image/").status_code == 410
    assert alice_client.get(f"/uploads/{alice_upload.pk}/thumbnail/").status_code == 200
    assert "Photo deleted, results kept" in alice_client.get("/uploads/").content.decode()
    told = alice_client.get(f"/api/v1/uploads/{alice_upload.pk}/").json()
    assert told["photo_deleted_at"]
    assert told["links"]["image"] is None


@pytest.mark.parametrize("data", ["photo", "broken"])
def test_results_only_means_at_once(
    alice: User, face_jpeg: bytes, data: str, alice_client: Client
) -> None:
    choose(alice, 0)
    upload = create_upload(alice, SimpleUploadedFile("a.jpg", face_jpeg))
    if data == "broken":
        Path(upload.image.path).write_bytes(face_jpeg[:9000])
    assert not is_gone(upload)
    assert retention.remove_due_photos() == 0, "it has not been looked at yet"
    tasks.process_upload.apply((str(upload.pk),), throw=True)
    assert is_gone(upload)
    assert upload.status == ("done" if data == "photo" else "failed")


def test_a_photo_that_is_gone_is_not_looked_at_again(
    alice: User, alice_client: Client, alice_upload: Upload
) -> None:
    age(alice_upload, 0, "failed")
    assert retention.remove_photo(str(alice_upload.pk))
    response = alice_client.post(f"/uploads/{alice_upload.pk}/retry/", follow=True)
    assert "can’t be retried" in response.content.decode()
    assert alice_client.post(f"/api/v1/uploads/{alice_upload.pk}/retry/").status_code == 409
    alice_upload.refresh_from_db()
    assert alice_upload.status == "failed"


def test_what_is_being_looked_at_is_left_alone(alice: User, alice_upload: Upload) -> None:
    choose(alice, 1)
    for status in ("pending", "processing"):
        age(alice_upload, 5, status)
        assert retention.remove_due_photos() == 0
        assert not retention.remove_photo(str(alice_upload.pk))


@pytest.mark.parametrize("meanwhile", ["another sweep", "deleted"])
def test_two_at_once_leave_one_thumbnail_and_none_of_a_deleted_photo(
    alice_upload: Upload, media: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    age(alice_upload, 1)
    blur = retention.images.blurred

    def slowly(jpeg: bytes) -> bytes:
        monkeypatch.setattr(retention.images, "blurred", blur)
        if meanwhile == "deleted":
            Upload.objects.all().delete()
        else:
            assert retention.remove_photo(str(alice_upload.pk))
        return blur(jpeg)

    monkeypatch.setattr(retention.images, "blurred", slowly)
    assert not retention.remove_photo(str(alice_upload.pk))
    assert len(stored(media)) == (0 if meanwhile == "deleted" else 1)


def test_a_missing_thumbnail_does_not_keep_the_photo(alice_upload: Upload, media: Path) -> None:
    age(alice_upload, 1)
    Path(alice_upload.thumbnail.path).unlink()
    assert retention.remove_photo(str(alice_upload.pk))
    assert is_gone(alice_upload)
    assert Image.open(alice_upload.thumbnail.open()).size == (480, 480)


def test_each_person_chooses_for_their_own_photos(
    alice: User, bob: User, alice_client: Client, alice_upload: Upload, face_jpeg: bytes
) -> None:
    bobs = age(create_upload(bob, SimpleUploadedFile("b.jpg", face_jpeg)), 400)
    age(alice_upload, 400)
    response = alice_client.post("/privacy/retention/", {"days": "30"}, follow=True)
    assert "within ten minutes" in response.content.decode()
    assert '<option value="30" selected>' in response.content.decode()
    tasks.sweep_photos()
    assert is_gone(alice_upload)
    assert not is_gone(bobs)


@pytest.mark.parametrize("days", ["-1", "8", "many"])
def test_only_what_is_offered_can_be_chosen(days: str, alice: User, alice_client: Client) -> None:
    alice_client.post("/privacy/retention/", {"days": days})
    alice.refresh_from_db()
    assert alice.photo_retention_days is None


def test_the_operators_maximum_is_not_exceeded(
    settings: Any, alice: User, alice_client: Client
) -> None:
    settings.RETENTION_MAXIMUM_DAYS = 30
    alice_client.post("/privacy/retention/", {"days": "90"})
    alice.refresh_from_db()
    assert alice.photo_retention_days is None
    assert "90 days" not in alice_client.get("/privacy/").content.decode()
