"""Files that no row speaks of: found once old enough, and only where the site keeps files."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from accounts.models import User
from operations import stray_files
from recognition import tasks
from recognition.models import Upload
from recognition.personal_data import export as data_export
from recognition.uploads import heat_maps
from recognition.videos import actions as videos

pytestmark = pytest.mark.django_db(transaction=True)

STRAYS = ("photos/ab/left.jpg", "photos/cd/left.png", "exports/left.zip", "videos/ab/left")


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def owned(alice: User, alice_upload: Upload) -> set[str]:
    """A file of every kind, each with a row."""
    tasks.process_upload.apply((str(alice_upload.pk),), throw=True)
    assert heat_maps.store(alice_upload.predictions.get(), b"a picture")
    export = data_export.start(alice)
    assert data_export.build(str(export.pk))
    export.refresh_from_db()
    face = alice_upload.predictions.get()
    video = videos.create_video(alice, SimpleUploadedFile("a.gif", b"GIF89a and more"))
    photo = alice_upload
    files = (photo.image, photo.thumbnail, face.heat_map, export.file, video.file)
    return {str(file.name) for file in files}


@pytest.fixture
def strays(media: Path) -> set[str]:
    for name in (*STRAYS, "notes/of-the-operator.txt"):
        (media / name).parent.mkdir(parents=True, exist_ok=True)
        (media / name).write_bytes(b"something")
    return set(STRAYS)


def names(media: Path) -> set[str]:
    return {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}


def make_old(media: Path) -> None:
    yesterday = time.time() - 25 * 3600
    for name in names(media):
        os.utime(media / name, (yesterday, yesterday))


def test_what_may_be_on_its_way_stays(media: Path, strays: set[str]) -> None:
    assert list(stray_files.find()) == []
    call_command("delete_stray_files")
    assert strays <= names(media)


def test_old_ones_are_deleted_and_nothing_else(
    media: Path, owned: set[str], strays: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    make_old(media)
    call_command("delete_stray_files", "--dry-run")
    *listed, last = capsys.readouterr().out.splitlines()
    assert set(listed) == strays
    assert last == f"{len(STRAYS)} files would be deleted"
    assert strays <= names(media)

    call_command("delete_stray_files")
    assert capsys.readouterr().out == f"{len(STRAYS)} files were deleted\n"
    assert names(media) == {*owned, "notes/of-the-operator.txt"}


def refuse(monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    delete = default_storage.delete

    def delete_others(name: str) -> None:
        if name == refused:
            raise PermissionError(13, "denied")
        delete(name)

    monkeypatch.setattr(default_storage, "delete", delete_others)


def test_one_that_cannot_be_deleted_keeps_no_other(
    media: Path,
    strays: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_old(media)
    refused = next(stray_files.find())
    refuse(monkeypatch, refused)
    with pytest.raises(CommandError, match="1 files could not be deleted"):
        call_command("delete_stray_files")
    assert refused in capsys.readouterr().err
    assert names(media) == {refused, "notes/of-the-operator.txt"}


def test_nor_does_one_of_an_export(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (media / "exports").mkdir()
    for name in "abc":
        (media / f"exports/{name}.zip").write_bytes(b"something")
    _folders, (refused, *_others) = default_storage.listdir("exports")
    refuse(monkeypatch, f"exports/{refused}")
    data_export.delete_expired()
    assert names(media) == {f"exports/{refused}"}


def test_more_than_are_looked_up_at_once(
    media: Path, owned: set[str], strays: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stray_files, "BATCH", 2)
    make_old(media)
    assert set(stray_files.find()) == strays


def test_an_empty_storage_has_none() -> None:
    assert list(stray_files.find()) == []
