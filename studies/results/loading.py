"""A study's data for its results: by a fixed number of queries, and with the slow part kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import F

from recognition.models import Recording
from recognition.refusals import check_rate
from recognition.series.columns import Columns, GapReason
from recognition.series.storing import read_columns
from recognition.wording import LABEL_NAMES
from studies.models import Block, ExclusionRule, Participation, ParticipationGrid, Study, Visit
from studies.results import packing
from studies.results.curves import HZ, Floats, Halves, Track, main_face, on_grid
from studies.results.groups import Seen
from studies.results.packing import Grids
from studies.results.rules import Quality, Reason, Rules, quality_of, reasons

if TYPE_CHECKING:
    from accounts.models import User

#: Grids as they are worked with, or as they are kept.
Values = TypeVar("Values", Floats, Halves)
#: Recordings whose series are in memory at once.
SERIES_AT_ONCE = 20
#: How often one person may have results worked out.
RATE = "60/min"


@dataclass(frozen=True, slots=True)
class Participant:
    """One participant as results see them.

    Attributes:
        excluded: why they are left out; empty for those who are in.
        visits: blocks that were seen to their end, by primary key, in the order of their start.
        grids: by the primary key of the block; columns are the labels of the study's data.
    """

    participation: Participation
    quality: Quality
    excluded: tuple[Reason, ...]
    visits: dict[int, Visit]
    grids: Mapping[int, Halves]

    @property
    def name(self) -> str:
        return str(self.participation)

    @property
    def condition(self) -> str:
        return self.participation.condition.name if self.participation.condition else ""

    def baseline_of(self, visit: Visit, baselines: set[int]) -> Halves | None:
        """The grid of the last baseline that began before a visit; None where there was none."""
        before = [
            pk
            for pk, other in self.visits.items()
            if pk in baselines and other.start_ms < visit.start_ms
        ]
        return self.grids.get(before[-1]) if before else None


@dataclass(frozen=True, slots=True)
class StudyData:
    """Everything that results are made of.

    Attributes:
        blocks: all of them, in the study's order.
        participants: all but the team's own tries, by number; those left out, too.
        labels: columns of the grids.
    """

    study: Study
    rules: Rules
    blocks: list[Block]
    participants: list[Participant]
    labels: list[str]
    baselines: set[int] = field(default_factory=set)

    @property
    def included(self) -> list[Participant]:
        return [one for one in self.participants if not one.excluded]

    @property
    def stimuli(self) -> list[Block]:
        return [block for block in self.blocks if block.kind in Block.STIMULI]

    @property
    def n_finished(self) -> int:
        return sum(one.quality.is_finished for one in self.participants)

    def seen(self, participant: Participant, block: Block) -> Seen | None:
        """What one participant's part in a block is; None where they did not see it."""
        visit = participant.visits.get(block.pk)
        grid = None if visit is None else participant.grids.get(block.pk)
        if visit is None or grid is None:
            return None
        return Seen(grid, participant.baseline_of(visit, self.baselines))


class GridReader:
    """Reads grids when they are asked for, and has those of one participant at a time.

    Whoever downloads a study slowly would otherwise keep all of its curves in memory meanwhile.
    Whoever has withdrawn since has none any more.
    """

    def __init__(self) -> None:
        self._last: tuple[UUID, dict[int, Halves]] | None = None

    def read(self, of: UUID, labels: Sequence[str]) -> dict[int, Halves]:
        """A participant's grids by block, with columns for these labels."""
        if self._last is None or self._last[0] != of:
            kept = ParticipationGrid.objects.filter(participation_id=of)
            data = kept.values_list("data", flat=True).first()
            grids = {} if data is None else _in_columns(packing.unpack(bytes(data)), labels)
            self._last = (of, grids)
        return self._last[1]


@dataclass(frozen=True, slots=True)
class KeptGrids(Mapping[int, Halves]):
    """One participant's grids, left where they are kept until they are asked for."""

    reader: GridReader
    of: UUID
    labels: Sequence[str]

    def __getitem__(self, block: int) -> Halves:
        return self.reader.read(self.of, self.labels)[block]

    def __iter__(self) -> Iterator[int]:
        return iter(self.reader.read(self.of, self.labels))

    def __len__(self) -> int:
        return len(self.reader.read(self.of, self.labels))


def rules_of(study: Study) -> Rules:
    """The rules that stand."""
    rule = ExclusionRule.objects.filter(study=study).first() or ExclusionRule()
    return Rules(study.exclude_below, rule.least_frames_per_second, rule.keeps_unfinished)


def load_for(user: User, study: Study, *, has_curves: bool = True) -> StudyData:
    """As :func:`load`, as often as a person needs it.

    Raises:
        TooOften: it was more often than that.
    """
    check_rate("study results", user.pk, RATE)
    return load(study, has_curves=has_curves)


def load(study: Study, *, has_curves: bool = True) -> StudyData:
    """Read a study's data; curves that are not kept yet are made, which takes a moment each.

    Args:
        study: whose.
        has_curves: otherwise each participant's are read when they are asked for.
    """
    blocks = list(study.blocks.select_related("condition"))
    people = list(
        study.participations.filter(is_preview=False)
        .select_related("condition", "recording")
        .defer("consent_text", "recording__samples")
    )
    by_person: dict[UUID, dict[int, Visit]] = {}
    ended = Visit.objects.filter(participation__study=study, end_ms__gt=F("start_ms"))
    for visit in ended.order_by("start_ms", "pk").defer("events"):
        by_person.setdefault(visit.participation_id, {})[visit.block_id] = visit
    grids = _grids(study, people, by_person, has_curves)
    known = {label for one in grids.values() for label in one.labels}
    labels = [label for label in LABEL_NAMES if label in known]
    rules = rules_of(study)
    reader = None if has_curves else GridReader()
    return StudyData(
        study,
        rules,
        blocks,
        [
            _participant(one, by_person.get(one.pk, {}), grids, labels, rules, reader)
            for one in people
        ],
        labels,
        {block.pk for block in blocks if block.kind == Block.Kind.BASELINE},
    )


def _participant(
    one: Participation,
    visits: dict[int, Visit],
    grids: dict[UUID, Grids],
    labels: Sequence[str],
    rules: Rules,
    reader: GridReader | None,
) -> Participant:
    is_finished = one.state == Participation.State.FINISHED
    recording, made = one.recording, grids.get(one.pk)
    if recording is None or made is None:
        quality = Quality(is_finished, None, None)
        return Participant(one, quality, reasons(rules, quality), visits, {})
    quality = quality_of(
        is_finished,
        made.n_moments,
        recording.n_frames,
        recording.seconds,
        made.paused_ms / 1000,
    )
    grids_of = KeptGrids(reader, one.pk, labels) if reader else _in_columns(made, labels)
    return Participant(one, quality, reasons(rules, quality), visits, grids_of)


def _in_columns(made: Grids, labels: Sequence[str]) -> dict[int, Halves]:
    return {
        pk: with_labels(grid.astype(np.float16, copy=False), made.labels, labels)
        for pk, grid in made.by_block.items()
    }


def with_labels(values: Values, known: Sequence[str], wanted: Sequence[str]) -> Values:
    """Columns in another order; NaN for labels that a model did not know."""
    if list(known) == list(wanted):
        return values
    found = np.full((len(values), len(wanted)), np.nan, values.dtype)
    for place, label in enumerate(wanted):
        if label in known:
            found[:, place] = values[:, known.index(label)]
    return found


def _grids(
    study: Study,
    people: Iterable[Participation],
    visits: dict[UUID, dict[int, Visit]],
    has_curves: bool,
) -> dict[UUID, Grids]:
    rows = ParticipationGrid.objects.filter(
        participation__study=study, participation__is_preview=False
    ).values_list("participation_id", "fingerprint", "data")
    kept = {
        pk: (fingerprint, packing.unpack(bytes(data), with_grids=has_curves))
        for pk, fingerprint, data in rows.iterator(chunk_size=SERIES_AT_ONCE)
    }
    found: dict[UUID, Grids] = {}
    missing: list[tuple[Participation, Recording, str]] = []
    for one in people:
        if one.recording is None:
            continue
        fingerprint = _fingerprint(one.recording, visits.get(one.pk, {}).values())
        known, grids = kept.get(one.pk, ("", None))
        if grids is not None and known == fingerprint:
            found[one.pk] = grids
        else:
            missing.append((one, one.recording, fingerprint))
    for begin in range(0, len(missing), SERIES_AT_ONCE):
        some = missing[begin : begin + SERIES_AT_ONCE]
        series = read_columns([recording.pk for _one, recording, _mark in some])
        made_now = []
        for one, recording, fingerprint in some:
            made = make(series.get(recording.pk, []), visits.get(one.pk, {}).values())
            data = packing.pack(made)
            # As everybody will see it, also the one who had it made.
            found[one.pk] = packing.unpack(data, with_grids=has_curves)
            made_now.append(
                ParticipationGrid(participation=one, fingerprint=fingerprint, data=data)
            )
        _keep(made_now)
    return found


def _keep(rows: list[ParticipationGrid]) -> None:
    """Keep curves, but those of participants who have withdrawn since they were read."""
    with transaction.atomic():
        there = set(
            Participation.objects.select_for_update()
            .filter(pk__in=[row.participation_id for row in rows])
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        ParticipationGrid.objects.bulk_create(
            [row for row in rows if row.participation_id in there],
            update_conflicts=True,
            unique_fields=["participation"],
            update_fields=["fingerprint", "data"],
        )


def _fingerprint(recording: Recording, visits: Iterable[Visit]) -> str:
    parts = [packing.VERSION, HZ, recording.pk, recording.n_frames, recording.n_samples]
    parts += [(visit.block_id, visit.start_ms, visit.end_ms) for visit in visits]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def make(series: Sequence[Columns], visits: Iterable[Visit]) -> Grids:
    """Grids of the blocks that one participant saw to their end.

    Args:
        series: the chunks of the recording, in order.
        visits: with their ends.
    """
    known = {label for chunk in series for label in chunk.labels}
    labels = [label for label in LABEL_NAMES if label in known]
    track, paused_ms = track_of(series, labels)
    return Grids(
        labels,
        len(track.times_ms),
        paused_ms,
        {
            visit.block_id: on_grid(track, visit.start_ms, visit.end_ms or visit.start_ms)
            for visit in visits
        },
    )


def track_of(series: Sequence[Columns], labels: Sequence[str]) -> tuple[Track, int]:
    """The participant's face in a recording, and for how many milliseconds no frames came."""
    gaps = [gap for chunk in series for gap in chunk.gaps]
    times = np.concatenate([np.zeros(0, np.int64), *(chunk.time_ms for chunk in series)])
    values = np.concatenate(
        [
            np.zeros((0, len(labels))),
            *(with_labels(chunk.probabilities, chunk.labels, labels) for chunk in series),
        ]
    )
    faces, sizes = (
        np.concatenate(
            [np.zeros(0, np.int64), *(chunk.whole[name].astype(np.int64) for chunk in series)]
        )
        for name in ("face", "pixels")
    )
    chosen = main_face(times, faces, sizes)
    bounds = np.array([(gap.start_ms, gap.end_ms) for gap in gaps], np.int64).reshape(-1, 2)
    paused = sum(gap.end_ms - gap.start_ms for gap in gaps if gap.reason == GapReason.PAUSED)
    return Track(times[chosen], values[chosen], bounds), paused
