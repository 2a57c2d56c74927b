"""A disk that is full in the middle of a file: nothing half-written stays, and states are clear."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.test import Client

from accounts.models import User
from recognition import tasks
from recognition.models import Prediction, Upload
from recognition.personal_data import export as data_export
from recognition.uploads import heat_maps, retention

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def done(alice_upload: Upload) -> Upload:
    tasks.process_upload.apply((str(alice_upload.pk),), throw=True)
    alice_upload.refresh_from_db()
    return alice_upload


@pytest.fixture
def fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on each file that is written gets half of its bytes."""
    whole = File.chunks

    def half(self: File, chunk_size: int | None = None) -> Iterator[bytes]:
        for chunk in whole(self, chunk_size):
            yield chunk[: len(chunk) // 2]
            raise OSError(errno.ENOSPC, "No space left on device")

    def fill() -> None:
        monkeypatch.setattr(File, "chunks", half)
        monkeypatch.setattr(ContentFile, "chunks", half, raising=False)

    return fill


def stored(media: Path) -> set[Path]:
    return {path for path in media.rglob("*") if path.is_file()}


def test_half_a_file_does_not_stay(media: Path, fill_the_disk: Callable[[], None]) -> None:
    fill_the_disk()
    with pytest.raises(OSError, match="No space"):
        default_storage.save("photos/00/one.jpg", ContentFile(b"some bytes"))
    assert stored(media) == set()


def test_a_heat_map_is_whole_or_absent_and_can_be_asked_for_again(
    done: Upload, media: Path, fill_the_disk: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    face, before = done.predictions.get(), stored(media)
    fill_the_disk()
    with pytest.raises(OSError, match="No space"):
        heat_maps.store(face, b"a picture")
    assert stored(media) == before
    face.refresh_from_db()
    assert not face.heat_map
    monkeypatch.undo()
    assert heat_maps.store(face, b"a picture")


def test_an_export_waits_for_room_and_leaves_nothing_meanwhile(
    done: Upload,
    alice: User,
    media: Path,
    fill_the_disk: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    export, before = data_export.start(alice), stored(media)
    fill_the_disk()
    assert not data_export.build(str(export.pk))
    export.refresh_from_db()
    assert export.status == "pending"
    assert stored(media) == before
    monkeypatch.undo()
    assert data_export.build(str(export.pk))


def test_a_photo_whose_time_is_over_goes_where_no_thumbnail_can_be_written(
    done: Upload,
    alice_client: Client,
    media: Path,
    fill_the_disk: Callable[[], None],
) -> None:
    """It is what makes room; and keeping it longer than its owner said is no way out."""
    fill_the_disk()
    assert retention.remove_photo(str(done.pk))
    assert stored(media) == set()
    done.refresh_from_db()
    assert done.photo_deleted_at is not None
    assert not done.image
    assert Prediction.objects.filter(upload=done).exists()
    for path in (f"/uploads/{done.pk}/thumbnail/", f"/api/v1/uploads/{done.pk}/thumbnail/"):
        response = alice_client.get(path)
        assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")


def test_a_storage_that_is_away_for_a_moment_is_waited_for(
    done: Upload, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(media)

    def away(*args: Any, **options: Any) -> str:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(default_storage, "save", away)
    with pytest.raises(OSError, match="Input"):
        retention.remove_photo(str(done.pk))
    assert stored(media) == before
    done.refresh_from_db()
    assert done.photo_deleted_at is None
