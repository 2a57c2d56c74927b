"""A recording as files: tidy CSV, JSON and WebVTT, written piece by piece; see docs/SERIES.md."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from django.utils.translation import gettext as _

from recognition.models import Recording
from recognition.series import answers, markers
from recognition.series.columns import Gap, Sample
from recognition.series.storing import read
from recognition.series.timeline import read_stretches
from recognition.wording import LABEL_NAMES

#: Lines that leave as one piece.
LINES_A_PIECE = 500
#: How long a player shows a marker, in milliseconds.
MARKER_SHOWN_MS = 1000


def csv_columns(labels: Iterable[str], source: str = "recording") -> list[str]:
    """The header of the CSV of a series with these labels; `source` names its first column."""
    return [
        source, "time_ms", "face", "label", "uncertain", "answer",
        *(f"p_{label}" for label in labels),
        "x", "y", "width", "height", "sharpness", "pixels", "turn", "gap_ms", "gap",
    ]  # fmt: skip


def as_csv(recording: Recording) -> Iterator[str]:
    """A row for each sample of each face; a gap is told by the first row after it."""
    labels: list[str] = recording.labels
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(csv_columns(labels))
    given = answers.AnswerTimes(answers.of(recording))
    n_lines = 0
    passed: list[Gap] = []
    for samples, gaps in read(recording):
        passed += gaps
        for sample in samples:
            before = [gap for gap in passed if gap.start_ms <= sample.time_ms]
            passed = [gap for gap in passed if gap.start_ms > sample.time_ms]
            answer = given.at(sample.face, sample.time_ms)
            writer.writerow(csv_cells(str(recording.pk), sample, before, labels, answer))
            n_lines += 1
            if n_lines % LINES_A_PIECE == 0:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
    yield buffer.getvalue()


def csv_cells(
    source: str,
    sample: Sample,
    gaps: Iterable[Gap],
    labels: Iterable[str],
    answer: str = answers.NO_ANSWER,
) -> Iterator[Any]:
    """A row: a sample, what was answered for it, and the gaps that ended with it."""
    gaps = list(gaps)
    yield from (source, sample.time_ms, sample.face, sample.label)
    yield from (str(sample.uncertain).lower(), answer)
    for label in labels:
        yield sample.probabilities.get(label, "")
    yield from (sample.x, sample.y, sample.width, sample.height)
    yield from (sample.sharpness, sample.pixels, sample.turn)
    yield sum(gap.end_ms - gap.start_ms for gap in gaps)
    yield "+".join(dict.fromkeys(gap.reason.code for gap in gaps)) or "none"


def about(recording: Recording) -> dict[str, Any]:
    """What a recording is, as JSON knows it."""
    seconds = recording.seconds
    return {
        "id": str(recording.pk),
        "source": recording.source,
        "started_at": recording.started_at.isoformat(),
        "seconds": round(seconds, 3),
        "model_version": recording.model_version,
        "frames_per_second": round(recording.n_frames / seconds, 2) if seconds else None,
        "labels": recording.labels,
    }


def as_json(recording: Recording) -> Iterator[str]:
    """One object: what it is, its markers, answers, samples and gaps."""
    head = {
        "recording": about(recording),
        "markers": [markers.as_dict(marker) for marker in recording.markers.all()],
        "answers": [answers.as_dict(answer) for answer in recording.answers.all()],
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "samples": ['
    gaps: list[Gap] = []
    separator = "\n"
    for samples, found in read(recording):
        gaps += found
        if samples:
            yield separator + ",\n".join(json.dumps(sample_as_dict(s)) for s in samples)
            separator = ",\n"
    yield '\n], "gaps": ' + json.dumps([gap_as_dict(gap) for gap in gaps]) + "}\n"


def sample_as_dict(sample: Sample) -> dict[str, Any]:
    """A sample as it is sent and written to files."""
    return {
        "time_ms": sample.time_ms,
        "face": sample.face,
        "label": sample.label,
        "uncertain": sample.uncertain,
        "probabilities": sample.probabilities,
        "box": {"x": sample.x, "y": sample.y, "width": sample.width, "height": sample.height},
        "sharpness": sample.sharpness,
        "pixels": sample.pixels,
        "turn": sample.turn,
    }


def gap_as_dict(gap: Gap) -> dict[str, Any]:
    """A gap as it is sent and written to files."""
    return {"start_ms": gap.start_ms, "end_ms": gap.end_ms, "reason": gap.reason.code}


def as_vtt(recording: Recording) -> Iterator[str]:
    """Labels and markers as subtitles, for players; in the reader's language."""
    yield "WEBVTT\n"
    cues = [
        (
            round(stretch.start * 1000),
            round(stretch.end * 1000),
            _("Face %(number)d: %(label)s")
            % {
                "number": stretch.face,
                "label": LABEL_NAMES.get(stretch.label, stretch.label),
            },
        )
        for stretch in read_stretches(recording.samples)
    ]
    cues += [
        (marker.time_ms, marker.time_ms + MARKER_SHOWN_MS, f"◆ {marker.name}")
        for marker in recording.markers.all()
    ]
    for start, end, text in sorted(cues):
        # A cue of no length would not be shown.
        times = f"{_clock(start)} --> {_clock(max(end, start + 1))}"
        yield f"\n{times}\n{escape(text, quote=False)}\n"


def _clock(time_ms: int) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{milliseconds:03}"
