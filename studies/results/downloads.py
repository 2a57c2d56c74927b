"""A study as tidy CSV, written piece by piece; codebook.py says what the columns mean."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import numpy as np

from recognition.series import downloads as series_downloads
from recognition.series.columns import Gap, Sample
from recognition.series.storing import read
from recognition.uploads.reports import safe_cell
from studies.models import Block
from studies.results import answers as given_answers
from studies.results.curves import HZ
from studies.results.figures import covered, figures_of
from studies.results.groups import shown
from studies.results.kept import Stay
from studies.results.loading import Participant, StudyData

#: Lines that leave as one piece, and characters after which they are fewer.
LINES_A_PIECE, CHARACTERS_A_PIECE = 500, 65_536
#: Digits of figures: more than float16 has, so that means of them do not suffer.
DIGITS = 6
Rows = Iterator[Iterable[Any]]


def as_csv(header: Iterable[str], rows: Rows) -> Iterator[str]:
    """The text of a CSV; cells of text are safe, and None is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(map(_cell, header))
    for number, row in enumerate(rows, start=1):
        writer.writerow([_cell(cell) for cell in row])
        if number % LINES_A_PIECE == 0 or buffer.tell() >= CHARACTERS_A_PIECE:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return safe_cell(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, float):
        return "" if np.isnan(value) else round(value, DIGITS)
    return "" if value is None else value


def _who(one: Participant) -> tuple[str, str, str]:
    return one.name, one.condition, excluded(one)


def excluded(one: Participant) -> str:
    """Why somebody is left out, as downloads say it."""
    return "+".join(one.excluded) or "none"


def participants(data: StudyData) -> Iterator[str]:
    names = sorted({name for one in data.participants for name in one.participation.attributes})
    header = (
        "participant", "condition", "excluded", "state", "language", "consent_version",
        "consented_at", "finished_at", "seconds", "n_frames", "frames_per_second", "face_share",
        "model_version", "external_id", *(f"attribute_{name}" for name in names),
    )  # fmt: skip
    return as_csv(header, _participants(data, names))


def _participants(data: StudyData, names: list[str]) -> Rows:
    for one in data.participants:
        row, recording = one.participation, one.participation.recording
        yield (
            *_who(one),
            row.state,
            row.language,
            row.consent_version,
            row.consented_at,
            row.finished_at,
            recording.seconds if recording else None,
            recording.n_frames if recording else None,
            one.quality.frames_per_second,
            one.quality.face_share,
            recording.model_version if recording else "",
            row.external_id,
            *(str(row.attributes.get(name, "")) for name in names),
        )


def blocks(data: StudyData) -> Iterator[str]:
    header = (
        "participant", "condition", "excluded", "block", "kind", "start_ms", "end_ms", "covered",
        "label", "mean", "peak", "latency", "share", "mean_change", "peak_change",
    )  # fmt: skip
    return as_csv(header, _blocks(data))


def _blocks(data: StudyData) -> Rows:
    for one, block, visit in _visits(data):
        seen = data.seen(one, block)
        if seen is None:
            continue
        grid = seen.grid
        raw = figures_of(grid[None])[0]
        change = figures_of(grid[None], shown(seen, True)[None])[0]
        at = (block.name, block.kind, visit.start_ms, visit.end_ms, covered(grid))
        for place, label in enumerate(data.labels):
            figures = (*raw[:, place].tolist(), *change[:2, place].tolist())
            yield (*_who(one), *at, label, *figures)


def curves(data: StudyData) -> Iterator[str]:
    names = (f"p_{label}" for label in data.labels)
    header = ("participant", "condition", "excluded", "block", "second", *names)
    return as_csv(header, _curves(data))


def _curves(data: StudyData) -> Rows:
    for one, block, _visit in _visits(data):
        who = _who(one)
        packed = one.grids.get(block.pk)
        if packed is not None:
            grid = np.asarray(packed)
            for begin in range(0, len(grid), LINES_A_PIECE):
                some = grid[begin : begin + LINES_A_PIECE].astype(np.float64).tolist()
                for place, values in enumerate(some, start=begin):
                    yield (*who, block.name, place / HZ, *values)


def _visits(data: StudyData) -> Iterator[tuple[Participant, Block, Stay]]:
    """Who saw which block when, in the order in which they did; without questions."""
    by_pk = {block.pk: block for block in data.blocks if not block.is_question}
    for one in data.participants:
        for pk, visit in list(one.visits.items()):
            if pk in by_pk:
                yield one, by_pk[pk], visit


def answers(data: StudyData) -> Iterator[str]:
    header = ("participant", "condition", "excluded", "block", "kind", "number", "text")
    return as_csv(header, _answers(data))


def _answers(data: StudyData) -> Rows:
    by_pk = {block.pk: block for block in data.blocks}
    by_person = {one.participation.pk: one for one in data.participants}
    for answer in given_answers.in_pieces(list(by_person)):
        one, block = by_person[answer.participation_id], by_pk.get(answer.block_id)
        if block is None:
            continue  # It is newer than this download.
        yield (*_who(one), block.name, block.kind, answer.number, answer.text)


#: The column of recordings that nobody fills in here: a participant does not answer the model.
_ANSWER = series_downloads.csv_columns([]).index("answer")


def samples(data: StudyData) -> Iterator[str]:
    columns = series_downloads.csv_columns(data.labels, "participant")
    del columns[_ANSWER]
    header = (*columns, "is_participant", "block", "block_ms", "excluded")
    return as_csv(header, _samples(data))


def _samples(data: StudyData) -> Rows:
    by_pk = {block.pk: block for block in data.blocks}
    for one in data.participants:
        if one.participation.recording is None:
            continue
        gaps: list[Gap] = []
        visits = list(one.visits.values())
        for some, found in read(one.participation.recording):
            gaps += found
            chosen = _largest(some)
            for sample in some:
                before = [gap for gap in gaps if gap.start_ms <= sample.time_ms]
                gaps = [gap for gap in gaps if gap.start_ms > sample.time_ms]
                visit = _visit_at(visits, sample.time_ms)
                cells = list(series_downloads.csv_cells(one.name, sample, before, data.labels))
                del cells[_ANSWER]
                yield (
                    *cells,
                    chosen[sample.time_ms] is sample,
                    by_pk[visit.block_id].name if visit else "",
                    sample.time_ms - visit.start_ms if visit else None,
                    excluded(one),
                )


def _largest(some: list[Sample]) -> dict[int, Sample]:
    """The participant's sample of each moment; the same rule as that of `curves.main_face`."""
    chosen: dict[int, Sample] = {}
    for sample in some:
        other = chosen.get(sample.time_ms)
        if other is None or (sample.pixels, -sample.face) > (other.pixels, -other.face):
            chosen[sample.time_ms] = sample
    return chosen


def _visit_at(visits: list[Stay], time_ms: int) -> Stay | None:
    for visit in visits:
        if visit.start_ms <= time_ms < visit.end_ms:
            return visit
    return None


#: Writers by name of the file, in the order of the page and of the archive.
FILES: dict[str, Callable[[StudyData], Iterator[str]]] = {
    "participants.csv": participants,
    "blocks.csv": blocks,
    "curves.csv": curves,
    "answers.csv": answers,
    "samples.csv": samples,
}
