"""What is deleted while it is read, is read whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from operations import backup, whole_copies

CONTENT = bytes(1000)


class _Bucket(FileSystemStorage):
    """Has files of which nobody knows where they are."""

    def path(self, name: str) -> str:
        raise NotImplementedError

    def open(self, name: str, mode: str = "rb") -> Any:
        return FileSystemStorage(self.location).open(name, mode)

    def save(self, name: Any, content: Any, max_length: int | None = None) -> str:
        return FileSystemStorage(self.location).save(name, content, max_length)

    def delete(self, name: str) -> None:
        FileSystemStorage(self.location).delete(name)


@pytest.fixture(params=[FileSystemStorage, _Bucket])
def storage(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    storage = request.param(tmp_path)
    monkeypatch.setattr(whole_copies, "default_storage", storage)
    storage.save("a.jpg", ContentFile(CONTENT))
    return storage


def test_a_file_that_is_deleted_meanwhile_stays_whole(storage: Any) -> None:
    before = set(Path(settings.DATA_DIR).iterdir())
    with whole_copies.opened("a.jpg") as file:
        storage.delete("a.jpg")
        assert set(Path(settings.DATA_DIR).iterdir()) == before
        assert file.fileno()
        assert file.read(10) + file.read() == CONTENT


def test_one_that_was_deleted_before_is_missing(storage: Any) -> None:
    storage.delete("a.jpg")
    with pytest.raises(FileNotFoundError), whole_copies.opened("a.jpg"):
        pass
    manifest = backup.Manifest("sqlite", {})
    backup._add_stored(None, "a.jpg", manifest)  # type: ignore[arg-type]
    assert manifest.missing == ["a.jpg"]
