"""The pictures of a comparison, laid out as files that every peer's Python can read."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image

from benchmarks import detection_set

#: The labels that everybody in the comparison has.
COMMON = ("happy", "neutral", "sad", "surprise")
#: Faces turned by more than this, in degrees, are counted apart: no cascade claims to find them.
UPRIGHT = 15
_SUFFIXES = {".jpg", ".jpeg", ".png"}
_SEED = 1

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Picture:
    """A file, and what is known of it.

    Attributes:
        part: which of the comparison's parts it belongs to.
        boxes: `x, y, width, height` of its faces, in pixels; empty for none, None where only one
            thing is known, that there is one face.
        label: of its face; None where it is none of :data:`COMMON`, or unknown.
    """

    path: Path
    part: str
    boxes: tuple[Box, ...] | None
    label: str | None = None


def composed(folder: Path) -> list[Picture]:
    """The pictures of `benchmarks.detection_set`, in the parts upright, turned and empty."""
    detection_set.write(folder)
    known = json.loads((folder / "boxes.json").read_text())
    return [
        Picture(folder / name, _part(name, boxes), tuple(map(tuple, boxes)))
        for name, boxes in known.items()
    ]


def _part(name: str, boxes: list[Box]) -> str:
    if not boxes:
        return "empty"
    is_turned = name.startswith("turned") and abs(int(Path(name).stem[6:])) > UPRIGHT
    return "turned" if is_turned else "upright"


def faces(source: Path, folder: Path, limit: int | None) -> list[Picture]:
    """Face crops of FER-2013's test part with one of the common labels.

    Args:
        source: the data set in its Kaggle layout, as folder or ZIP archive.
        folder: where the files go.
        limit: take so many, drawn at random but always the same ones; None for all.
    """
    return _labelled(
        source, folder, "faces", limit, lambda path: path.parts[-3:-2] == ("test",), COMMON
    )


def photos(source: Path, folder: Path, limit: int | None) -> list[Picture]:
    """Photos of one face each, as ``<class>/<name>.jpg``; of other classes, only found or not."""
    return _labelled(source, folder, "photos", limit, lambda path: len(path.parts) > 1, None)


def _labelled(
    source: Path,
    folder: Path,
    part: str,
    limit: int | None,
    is_wanted: Callable[[PurePosixPath], bool],
    classes: tuple[str, ...] | None,
) -> list[Picture]:
    folder.mkdir(parents=True, exist_ok=True)
    found = [
        (name, read)
        for name, read in _files(source)
        if is_wanted(name)
        and name.suffix.lower() in _SUFFIXES
        and (classes is None or name.parent.name in classes)
    ]
    found.sort(key=lambda entry: str(entry[0]))
    if limit is not None and limit < len(found):
        found = random.Random(_SEED).sample(found, limit)
    pictures = []
    for number, (name, read) in enumerate(found):
        path = folder / f"{number:05d}.png"
        # One decoder for all: nobody gains by reading JPEG in another way.
        Image.open(io.BytesIO(read())).convert("RGB").save(path, compress_level=1)
        label = name.parent.name if name.parent.name in COMMON else None
        pictures.append(Picture(path, part, None, label))
    return pictures


def _files(source: Path) -> Iterator[tuple[PurePosixPath, Callable[[], bytes]]]:
    if source.is_dir():
        for file in source.rglob("*"):
            if file.is_file():
                yield PurePosixPath(file.relative_to(source).as_posix()), file.read_bytes
        return
    archive = zipfile.ZipFile(source)
    for name in archive.namelist():
        if not name.endswith("/"):
            yield PurePosixPath(name), lambda name=name: archive.read(name)  # type: ignore[misc]
