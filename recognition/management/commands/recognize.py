"""Label the faces in photos, folders and videos, without the site: no database, no queue."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition import faces
from recognition.management.paths import shown, told
from recognition.management.video_output import (
    CsvVideoWriter,
    JsonVideoWriter,
    Stream,
    TableVideoWriter,
    VideoWriter,
)
from recognition.uploads.reports import safe_cell
from recognition.vision.detection import DetectorName
from recognition.vision.errors import FileError, ImageError, ModelError
from recognition.vision.live import WORKING_SIDE, LiveRecognizer, LiveState
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.types import Recognition
from recognition.vision.video.containers import HEAD_BYTES, is_video
from recognition.vision.video.order import Order
from recognition.vision.video.reader import ReadingStalled, VideoReader
from recognition.vision.watching import Watched, watch

#: Files that a folder is searched for; a file that is named itself is tried whatever its name.
SUFFIXES = {
    *(".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".avif", ".heic", ".heif"),
    *(".gif", ".bmp"),
}

Result = dict[str, Any]


class Writer(Protocol):
    """One of the output formats."""

    def __init__(self, stream: Stream, labels: tuple[str, ...]) -> None: ...

    def write(self, result: Result) -> None: ...


class Command(BaseCommand):
    help = "Find the faces in photos and videos and tell the expression of each."
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

        parser.add_argument(
            "--fps",
            type=int,
            choices=range(1, 31),
            metavar="1–30",
            help="frames of each second of a video that are looked at (default: 10); "
            "reads animated GIFs as videos, too",
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
        files = [file for path in options["paths"] for file in _files(path)]
        videos = [file for file in files if _is_video(file, gif=options["fps"] is not None)]
        photos = [file for file in files if file not in set(videos)]
        if videos and photos and options["output_format"] == "csv":
            raise CommandError("Photos and videos have different columns: name one kind a run.")
        labels = recognizer.manifest.labels
        n_errors = self._photos(recognizer, photos, options, labels) if photos or not videos else 0
        n_errors += self._videos(recognizer, videos, options, labels) if videos else 0
        if n_errors:
            kind = "file" if videos else "photo"
            kinds = kind if n_errors == 1 else f"{kind}s"
            raise CommandError(f"{n_errors} {kinds} of {len(files)} could not be read.")

    def _photos(
        self,
        recognizer: EmotionRecognizer,
        photos: list[Path],
        options: dict[str, Any],
        labels: tuple[str, ...],
    ) -> int:
        """Write all photos; returns how many could not be read."""
        writer = _WRITERS[options["output_format"]](self.stdout, labels)
        n_errors = 0
        with tqdm(photos, unit="photo", file=sys.stderr, disable=None) as progress:
            for file in progress:
                result = _recognize(recognizer, file)
                n_errors += result["error"] is not None
                writer.write(result)
        return n_errors

    def _videos(
        self,
        recognizer: EmotionRecognizer,
        videos: list[Path],
        options: dict[str, Any],
        labels: tuple[str, ...],
    ) -> int:
        """Write all videos; returns how many could not be read to their end."""
        writer = _VIDEO_WRITERS[options["output_format"]](cast(Stream, self.stdout), labels)
        order = Order(frames_per_second=options["fps"] or 10, longest_side=WORKING_SIDE)
        live = LiveRecognizer(recognizer)
        n_errors = 0
        for file in videos:
            try:
                with VideoReader(file, order) as video:
                    writer.write(told(file), _followed(video, live))
                continue
            except FileError as error:
                reason = str(error)
            except ReadingStalled:
                reason = "The machine has too much else to do."
            except OSError as error:
                reason = error.strerror or str(error)
            n_errors += 1
            writer.write_error(told(file), reason)
            if options["output_format"] == "csv":
                self.stderr.write(f"{shown(told(file))}: {reason}")
        return n_errors


def _is_video(file: Path, *, gif: bool) -> bool:
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD_BYTES)
    except OSError:
        return False
    return is_video(head) or (gif and head.startswith(b"GIF8"))


def _followed(video: VideoReader, live: LiveRecognizer) -> Iterator[Watched]:
    """What a video shows, with the progress of reading it."""
    total = (video.info.duration_ms or 0) // 1000 or None
    with tqdm(total=total, unit="s", file=sys.stderr, disable=None) as progress:
        for watched in watch(video, live, LiveState()):
            progress.update(watched.time_ms // 1000 - progress.n)
            yield watched


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
    return {"path": told(file), "width": None, "height": None, "faces": [], "error": reason}


def _result(file: Path, recognition: Recognition) -> Result:
    return {
        "path": told(file),
        "width": recognition.width,
        "height": recognition.height,
        "faces": [
            faces.seen(face, faces.COMMAND_FIELDS)
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
        start = [safe_cell(result["path"]), result["width"], result["height"]]
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
            self._stream.write(f"{shown(result['path'])}: error: {result['error']}\n")
            return
        n_rejected = sum(face["rejected"] is not None for face in result["faces"])
        n_faces = len(result["faces"]) - n_rejected
        found = {0: "no face found", 1: "1 face"}.get(n_faces, f"{n_faces} faces")
        if n_rejected:
            found += f", {n_rejected} rejected"
        size = f"{result['width']}×{result['height']}"
        self._stream.write(f"{shown(result['path'])} ({size}): {found}\n")
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
_VIDEO_WRITERS: dict[str, type[VideoWriter]] = {
    "table": TableVideoWriter,
    "json": JsonVideoWriter,
    "csv": CsvVideoWriter,
}
