"""A video that is in a bucket, while a worker looks at it."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from django.conf import settings

from operations import whole_copies
from recognition.models import Video
from recognition.videos import processing

if TYPE_CHECKING:
    from recognition.videos.progress import Progress


class _Bucket:
    """A storage that has no files of this machine."""

    def path(self, _name: str) -> str:
        raise NotImplementedError

    def open(self, _name: str, _mode: str) -> io.BytesIO:
        return io.BytesIO(b"a video")


class _File:
    @property
    def path(self) -> str:
        raise NotImplementedError


class _Video:
    file: Any = _File()


def test_its_copy_has_no_name_that_could_outlive_a_killed_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(whole_copies, "default_storage", _Bucket())
    folder = Path(settings.DATA_DIR)
    before = set(folder.iterdir())
    progress = cast("Progress", SimpleNamespace(keep=lambda: None))
    with processing._as_path(cast("Video", _Video()), progress) as path:
        assert path.read_bytes() == b"a video"
        assert set(folder.iterdir()) == before
