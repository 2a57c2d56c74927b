"""A study's data for its results: by a fixed number of queries, and with the slow part kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from django.db import transaction

from recognition.models import Recording
from recognition.refusals import check_rate
from recognition.series.columns import Columns, GapReason
from recognition.series.storing import read_columns
from recognition.wording import LABEL_NAMES
from studies.models import Block, ExclusionRule, Participation, ParticipationGrid, Study
from studies.results import kept, packing
from studies.results.curves import HZ, Track, main_face, on_grid
from studies.results.groups import Seen
from studies.results.kept import KeptGrids, KeptVisits, Reader, Stay, Visits, with_labels
from studies.results.packing import Grids, PackedGrid, PackedGrids
from studies.results.rules import Quality, Reason, Rules, quality_of, reasons

if TYPE_CHECKING:
    from accounts.models import User

#: Recordings whose series are in memory at once, and samples of them all: 100 bytes each there. One
#: alone may have more.
SERIES_AT_ONCE, SAMPLES_AT_ONCE = 20, 400_000
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
    visits: Visits
    grids: Mapping[int, PackedGrid]

    @property
    def name(self) -> str:
        return str(self.participation)

    @property
    def condition(self) -> str:
        return self.participation.condition.name if self.participation.condition else ""

    def baseline_of(self, visit: Stay, baselines: set[int]) -> PackedGrid | None:
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
        has_curves: otherwise each participant's, and visits, are read when they are asked for.
    """
    blocks = list(study.blocks.select_related("condition"))
    people = list(
        study.participations.filter(is_preview=False)
        .select_related("condition", "recording")
        .defer("consent_text", "sequence", "camera", "recording__samples")
    )
    for one in people:
        if one.recording is not None:
            # It knows its participant: together they would wait for the garbage collector.
            one.recording._state.fields_cache.clear()
    recordings = {one.pk: one.recording for one in people if one.recording is not None}
    marks: dict[UUID, str] = {}
    by_person: dict[UUID, Visits] = {}
    for pk, stays in kept.visits(participation__study=study):
        if pk in recordings:
            marks[pk] = _fingerprint(recordings[pk], stays.values())
        if has_curves:
            by_person[pk] = stays
    grids = _grids(study, recordings, marks, has_curves)
    known = {label for one in grids.values() for label in one.labels}
    labels = [label for label in LABEL_NAMES if label in known]
    rules = rules_of(study)
    reader = None if has_curves else Reader()
    return StudyData(
        study,
        rules,
        blocks,
        [
            _participant(
                one,
                KeptVisits(reader, one.pk) if reader else by_person.get(one.pk, {}),
                grids,
                labels,
                rules,
                reader,
            )
            for one in people
        ],
        labels,
        {block.pk for block in blocks if block.kind == Block.Kind.BASELINE},
    )


def _participant(
    one: Participation,
    visits: Visits,
    grids: dict[UUID, PackedGrids],
    labels: Sequence[str],
    rules: Rules,
    reader: Reader | None,
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
    grids_of = KeptGrids(reader, one.pk, labels) if reader else kept.in_columns(made, labels)
    return Participant(one, quality, reasons(rules, quality), visits, grids_of)


def _grids(
    study: Study, recordings: Mapping[UUID, Recording], marks: Mapping[UUID, str], has_curves: bool
) -> dict[UUID, PackedGrids]:
    """Grids by participant; `marks` are fingerprints of those who saw anything."""
    rows = ParticipationGrid.objects.filter(
        participation__study=study, participation__is_preview=False
    ).values_list("participation_id", "fingerprint", "data")
    found: dict[UUID, PackedGrids] = {}
    for pk, fingerprint, data in rows.iterator(chunk_size=SERIES_AT_ONCE):
        recording = recordings.get(pk)
        # Others are of other visits, or were packed in another way.
        if recording and fingerprint == (marks.get(pk) or _fingerprint(recording, [])):
            found[pk] = packing.unpack(bytes(data), with_grids=has_curves)
    missing = [(pk, one) for pk, one in recordings.items() if pk not in found]
    for some in _in_parts(missing):
        series = read_columns([recording.pk for _pk, recording in some])
        visits = dict(kept.visits(participation__in=[pk for pk, _recording in some]))
        made_now = []
        for pk, recording in some:
            stays = visits.get(pk, {}).values()
            made = make(series.get(recording.pk, []), stays)
            data = packing.pack(made)
            # As everybody will see it, also the one who had it made.
            found[pk] = packing.unpack(data, with_grids=has_curves)
            # Of these visits: there may be more by now.
            fingerprint = _fingerprint(recording, stays)
            made_now.append(
                ParticipationGrid(participation_id=pk, fingerprint=fingerprint, data=data)
            )
        _keep(made_now)
    return found


def _in_parts(
    recordings: Iterable[tuple[UUID, Recording]],
) -> Iterator[list[tuple[UUID, Recording]]]:
    """Participants with their recordings, as many at a time as fit into memory."""
    some: list[tuple[UUID, Recording]] = []
    n_samples = 0
    for pk, recording in recordings:
        n_samples += recording.n_samples
        if some and (len(some) == SERIES_AT_ONCE or n_samples > SAMPLES_AT_ONCE):
            yield some
            some, n_samples = [], recording.n_samples
        some.append((pk, recording))
    if some:
        yield some


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


def _fingerprint(recording: Recording, visits: Iterable[Stay]) -> str:
    parts = [packing.VERSION, HZ, recording.pk, recording.n_frames, recording.n_samples]
    parts += [(visit.block_id, visit.start_ms, visit.end_ms) for visit in visits]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def make(series: Sequence[Columns], visits: Iterable[Stay]) -> Grids:
    """Grids of the blocks that one participant saw to their end.

    Args:
        series: the chunks of the recording, in order.
        visits: that ended.
    """
    known = {label for chunk in series for label in chunk.labels}
    labels = [label for label in LABEL_NAMES if label in known]
    track, paused_ms = track_of(series, labels)
    return Grids(
        labels,
        len(track.times_ms),
        paused_ms,
        {visit.block_id: on_grid(track, visit.start_ms, visit.end_ms) for visit in visits},
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
