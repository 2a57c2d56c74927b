"""Label the faces in files and folders, without the site: no database, no queue."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.vision.detection import DetectorName
from recognition.vision.errors import ImageError, ModelError
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.types import Recognition

#: Files that a folder is searched for; a file that is named itself is tried whatever its name.
SUFFIXES = {".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".gif", ".bmp"}

Result = dict[str, Any]


class Stream(Protocol):
    """Where results are written."""

    def write(self, text: str, /) -> Any: ...


class Writer(Protocol):
    """One of the output formats."""

    def __init__(self, stream: Stream, labels: tuple[str, ...]) -> None: ...

    def write(self, result: Result) -> None: ...


class Command(BaseCommand):
    help = "Find the faces in photos and tell the expression of each."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument(
            "--format", choices=("table", "json", "csv"), default="table", dest="output_format"
        )
        parser.add_argument(
            "--detector",
            choices=[name.value for name in DetectorName],
            default=settings.DETECTOR,
            help="what finds the faces (default: the site's, %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            recognizer = EmotionRecognizer(
                settings.MODEL_MANIFEST,
                num_threads=settings.RECOGNIZER_THREADS,
                detector=DetectorName(options["detector"]),
            )
        except ModelError as error:
            raise CommandError(str(error)) from None
        make_writer = _WRITERS[options["output_format"]]
        writer = make_writer(self.stdout, recognizer.manifest.labels)
        files = [file for path in options["paths"] for file in _files(path)]
        n_errors = 0
        with tqdm(files, unit="photo", file=sys.stderr, disable=None) as progress:
            for file in progress:
                result = _recognize(recognizer, file)
                n_errors += result["error"] is not None
                writer.write(result)
        if n_errors:
            photos = "photo" if n_errors == 1 else "photos"
            raise CommandError(f"{n_errors} {photos} of {len(files)} could not be read.")


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if file.suffix.lower() in SUFFIXES and file.is_file():
            yield file


def _recognize(recognizer: EmotionRecognizer, file: Path) -> Result:
    try:
        return _result(file, recognizer.recognize(file.read_bytes()))
    except ImageError as error:
        reason = str(error)
    except OSError as error:
        reason = error.strerror or str(error)
    return {"path": str(file), "width": None, "height": None, "faces": [], "error": reason}


def _result(file: Path, recognition: Recognition) -> Result:
    return {
        "path": str(file),
        "width": recognition.width,
        "height": recognition.height,
        "faces": [
            {
                "box": face.box.as_dict(),
                "label": face.label,
                "confidence": round(face.confidence, 4),
                "uncertain": face.uncertain,
                "rejected": face.rejected,
                "roll": face.roll,
                "found_by": face.found_by,
                "probabilities": {
                    label: round(value, 4) for label, value in face.probabilities.items()
                },
            }
            for face in (*recognition.faces, *recognition.rejected)
        ],
        "error": None,
    }


class _JsonWriter:
    """One object a line."""

    def __init__(self, stream: Stream, labels: tuple[str, ...]) -> None:
        self._stream = stream

    def write(self, result: Result) -> None:
        self._stream.write(json.dumps(result, ensure_ascii=False) + "\n")


class _CsvWriter:
    """One row a face or rejected spot, and one for a file without any."""

    def __init__(self, stream: Stream, labels: tuple[str, ...]) -> None:
        self._writer = csv.writer(stream, lineterminator="\n")
        self._labels = labels
        self._writer.writerow(
            [
                *("path", "photo_width", "photo_height", "face", "x", "y", "width", "height"),
                *("label", "confidence", "uncertain", "rejected", "roll", "found_by"),
                *(*(f"p_{label}" for label in labels), "error"),
            ]
        )

    def write(self, result: Result) -> None:
        start = [result["path"], result["width"], result["height"]]
        for index, face in enumerate(result["faces"]):
            self._writer.writerow(
                [*start, index, *face["box"].values()]
                + [
                    face["label"],
                    face["confidence"],
                    str(face["uncertain"]).lower(),
                    face["rejected"],
                    f"{face['roll']:g}",
                    face["found_by"],
                ]
                + [face["probabilities"][label] for label in self._labels]
                + [""]
            )
        if not result["faces"]:
            blank = [""] * (11 + len(self._labels))
            self._writer.writerow([*start, *blank, result["error"] or ""])


class _TableWriter:
    """Lines for people."""

    def __init__(self, stream: Stream, labels: tuple[str, ...]) -> None:
        self._stream = stream

    def write(self, result: Result) -> None:
        if result["error"]:
            self._stream.write(f"{result['path']}: error: {result['error']}\n")
            return
        n_rejected = sum(face["rejected"] is not None for face in result["faces"])
        n_faces = len(result["faces"]) - n_rejected
        found = {0: "no face found", 1: "1 face"}.get(n_faces, f"{n_faces} faces")
        if n_rejected:
            found += f", {n_rejected} rejected"
        self._stream.write(f"{result['path']} ({result['width']}×{result['height']}): {found}\n")
        for index, face in enumerate(result["faces"], start=1):
            box = face["box"]
            place = f"{box['width']}×{box['height']} at {box['x']},{box['y']}"
            if face["roll"]:
                place += f", turned by {face['roll']:g}°"
            place += f", found by {face['found_by']}"
            if face["rejected"]:
                self._stream.write(f"   -  rejected: {face['rejected']}  {place}\n")
                continue
            others = "  ".join(
                f"{label} {value:4.0%}" for label, value in face["probabilities"].items()
            )
            doubt = "  not sure" if face["uncertain"] else ""
            self._stream.write(f"  {index:2d}  {face['label']:<9} {others}  {place}{doubt}\n")


_WRITERS: dict[str, type[Writer]] = {"table": _TableWriter, "json": _JsonWriter, "csv": _CsvWriter}
