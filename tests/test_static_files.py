"""A second start does not collect the static files again, unless one of them has changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from emotion_site import static_files


@pytest.fixture
def source(tmp_path: Path, settings: django_settings) -> Path:
    """A folder with one static file, beside those of the apps."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "page.css").write_text("a")
    settings.STATICFILES_DIRS = [folder]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "collected"
    return folder


def test_what_has_not_changed_is_collected_once(source: Path, tmp_path: Path) -> None:
    assert static_files.collect()
    assert (tmp_path / "collected" / "page.css").read_text() == "a"
    assert not static_files.collect()


@pytest.mark.parametrize("change", ["text", "time", "new", "gone"])
def test_what_has_changed_is_collected_again(change: str, source: Path, tmp_path: Path) -> None:
    (source / "other.css").write_text("b")
    static_files.collect()
    file = source / "page.css"
    if change == "text":
        file.write_text("another")
        os.utime(file, (2**31, 2**31))
    elif change == "time":
        os.utime(file, (1, 1))
    elif change == "new":
        (source / "new.css").write_text("c")
    else:
        (source / "other.css").unlink()
    assert static_files.collect()
    assert (tmp_path / "collected" / "page.css").read_text() == file.read_text()
    assert not static_files.collect()


def test_files_that_were_deleted_are_collected_again(source: Path, tmp_path: Path) -> None:
    static_files.collect()
    for file in (tmp_path / "collected").iterdir():
        file.unlink()
    assert static_files.collect()
    assert (tmp_path / "collected" / "page.css").exists()
