"""Pictures with known faces, to measure detectors on."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from recognition.vision.types import BoundingBox

BOXES_FILE = "boxes.json"
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"}


class DetectionSetError(Exception):
    """The data cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture and what is known of its faces.

    Attributes:
        name: its path inside the folder or archive.
        data: the bytes of the file.
        boxes: of its faces, in pixels of the upright picture; None where only one thing is known,
            that it shows one face.
    """

    name: str
    data: bytes
    boxes: tuple[BoundingBox, ...] | None


def read_pictures(path: Path) -> Iterator[Picture]:
    """Pictures of a folder or a ZIP archive, in the order of their names.

    Beside them lies ``boxes.json``: an object from the path of each picture to the list of its
    faces, each ``[x, y, width, height]``; an empty list is a picture without faces. Pictures that
    it does not name are left out. Without that file each picture is taken to show one face,
    anywhere.

    Raises:
        DetectionSetError: there is nothing to read, or boxes.json is not as described.
    """
    files = _folder(path) if path.is_dir() else _archive(path)
    boxes = _read_boxes(files.pop(BOXES_FILE)) if BOXES_FILE in files else None
    names = sorted(name for name in files if PurePosixPath(name).suffix.lower() in _SUFFIXES)
    missing = sorted(set(boxes or ()) - set(names))
    if missing:
        raise DetectionSetError(f"{BOXES_FILE} names {missing[0]}, which is not there.")
    if not names:
        raise DetectionSetError(f"There are no pictures in {path}.")
    for name in names:
        if boxes is None:
            yield Picture(name, files[name].read(), None)
        elif name in boxes:
            yield Picture(name, files[name].read(), boxes[name])


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a folder or an archive, read when it is wanted."""

    root: Path
    name: str

    def read(self) -> bytes:
        if self.root.is_dir():
            return (self.root / self.name).read_bytes()
        with zipfile.ZipFile(self.root) as archive:
            return archive.read(self.name)


def _folder(path: Path) -> dict[str, _File]:
    found = (file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    return {name: _File(path, name) for name in found}


def _archive(path: Path) -> dict[str, _File]:
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: _File(path, name) for name in archive.namelist() if name[-1] != "/"}
    except (OSError, zipfile.BadZipFile):
        raise DetectionSetError(f"{path} is neither a folder nor a ZIP archive.") from None


def _read_boxes(file: _File) -> dict[str, tuple[BoundingBox, ...]]:
    try:
        content = json.loads(file.read())
        return {
            str(name): tuple(BoundingBox(*map(round, box)) for box in boxes)
            for name, boxes in content.items()
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise DetectionSetError(f"{BOXES_FILE} is not as it should be: {error}") from None
