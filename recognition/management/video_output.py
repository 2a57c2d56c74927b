"""What `manage.py recognize` writes of a video, in each of its formats."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from recognition.management.paths import shown
from recognition.series.columns import Gap, GapReason, Sample
from recognition.series.downloads import csv_cells, csv_columns
from recognition.series.frames import sample_of
from recognition.series.gaps import GapFinder
from recognition.series.timeline import LabelTimeline, shares
from recognition.uploads.reports import safe_cell
from recognition.vision.watching import Watched


class Stream(Protocol):
    """Where results are written."""

    def write(self, text: str, /) -> Any: ...


class VideoWriter(Protocol):
    """One of the output formats."""

    def __init__(self, stream: Stream, labels: tuple[str, ...]) -> None: ...

    def write(self, path: str, frames: Iterable[Watched]) -> None:
        """Write a video frame by frame.

        Raises:
            VideoError: from `frames`; what came before is written.
        """

    def write_error(self, path: str, reason: str) -> None: ...


class JsonVideoWriter:
    """One object a sampled frame, one a line."""

    def __init__(self, stream: Stream, labels: tuple[str, ...]) -> None:
        self._stream = stream

    def write(self, path: str, frames: Iterable[Watched]) -> None:
        for frame in frames:
            self._line(
                {
                    "path": path,
                    "time_ms": frame.time_ms,
                    "width": frame.seen.width,
                    "height": frame.seen.height,
                    "faces": [
                        _as_dict(sample_of(face, frame.time_ms)) for face in frame.seen.faces
                    ],
                    "error": None,
                }
            )

    def write_error(self, path: str, reason: str) -> None:
        nothing: dict[str, Any] = {"time_ms": None, "width": None, "height": None, "faces": []}
        self._line({"path": path, **nothing, "error": reason})

    def _line(self, result: dict[str, Any]) -> None:
        self._stream.write(json.dumps(result, ensure_ascii=False) + "\n")


def _as_dict(sample: Sample) -> dict[str, Any]:
    return {
        "face": sample.face,
        "box": {name: getattr(sample, name) for name in ("x", "y", "width", "height")},
        "label": sample.label,
        "confidence": round(sample.probabilities[sample.label], 4),
        "uncertain": sample.uncertain,
        "probabilities": {label: round(value, 4) for label, value in sample.probabilities.items()},
        "sharpness": round(sample.sharpness, 4),
        "pixels": sample.pixels,
        "turn": sample.turn,
    }


class CsvVideoWriter:
    """The tidy CSV that a recording downloads as, with the file's path in the first column."""

    def __init__(self, stream: Stream, labels: tuple[str, ...]) -> None:
        self._writer = csv.writer(stream, lineterminator="\n")
        self._labels: Sequence[str] = labels
        self._writer.writerow(csv_columns(labels, "path"))

    def write(self, path: str, frames: Iterable[Watched]) -> None:
        finder = GapFinder()
        for frame in frames:
            faces = frame.seen.faces
            gaps: list[Gap] = finder.see(frame.time_ms, bool(faces), silence=GapReason.PAUSED)
            for face in faces:
                sample = _rounded(sample_of(face, frame.time_ms))
                self._writer.writerow(csv_cells(safe_cell(path), sample, gaps, self._labels))
                gaps = []

    def write_error(self, path: str, reason: str) -> None:
        """Only on the error output: a reason is no sample."""


def _rounded(sample: Sample) -> Sample:
    return replace(
        sample,
        probabilities={label: round(p, 4) for label, p in sample.probabilities.items()},
        sharpness=round(sample.sharpness, 4),
    )


class TableVideoWriter:
    """The timeline, for people: from when to when each face kept a label."""

    def __init__(self, stream: Stream, labels: tuple[str, ...]) -> None:
        self._stream = stream
        self._labels = labels

    def write(self, path: str, frames: Iterable[Watched]) -> None:
        timeline, n_frames, last_ms = LabelTimeline(), 0, 0
        try:
            for frame in frames:
                n_frames, last_ms = n_frames + 1, frame.time_ms
                timeline.add(frame.seen.faces, frame.time_ms / 1000)
        finally:
            if n_frames:
                self._tell(path, timeline, n_frames, last_ms)

    def _tell(self, path: str, timeline: LabelTimeline, n_frames: int, last_ms: int) -> None:
        numbers = {stretch.face for stretch in timeline.stretches}
        faces = {0: "no face found", 1: "1 face"}.get(len(numbers), f"{len(numbers)} faces")
        length = _clock(last_ms / 1000)
        self._stream.write(f"{shown(path)} ({n_frames} frames to {length}): {faces}\n")
        for stretch in sorted(timeline.stretches, key=lambda one: (one.start, one.face)):
            when = f"{_clock(stretch.start)} – {_clock(stretch.end)}"
            self._stream.write(
                f"  {when}  face {stretch.face}  {stretch.label:<9} {stretch.confidence:4.0%}\n"
            )
        if timeline.stretches:
            of_all = shares(timeline.stretches, self._labels)
            told = "  ".join(f"{label} {share:.0%}" for label, share in of_all.items())
            self._stream.write(f"  of the time: {told}\n")

    def write_error(self, path: str, reason: str) -> None:
        self._stream.write(f"{shown(path)}: error: {reason}\n")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
