"""A series in the database: written in chunks while it grows, read a few chunks at a time."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max, QuerySet

from recognition.models import Recording, SeriesChunk
from recognition.series.columns import Columns, Gap, Sample, decode, decode_columns, encode

#: Samples of one chunk: two minutes of one face. What is saved while it grows is written anew.
CHUNK_SAMPLES = 1200
#: Gaps of one chunk.
CHUNK_GAPS = 600
#: Chunks that are read at once. No query stays open from one to the next: who downloads a series
#: may be slow, and the connection to the database is closed meanwhile.
CHUNKS_AT_ONCE = 20


class SeriesWriter:
    """Appends to a recording's series: one thread may save while another one adds."""

    def __init__(self, recording: Recording) -> None:
        self._recording_id = recording.pk
        self._labels = list(recording.labels)
        self._lock = threading.Lock()
        self._full: list[_Open] = []
        self._open = _Open(labels=[])
        #: Frames and samples that no row tells of yet.
        self._new_frames = self._new_samples = 0
        #: Of the whole series, with what is not saved yet.
        self.n_samples = recording.n_samples

    def go_on(self) -> None:
        """Take the last chunk up again, so that many short turns do not leave many small ones.

        Raises:
            SeriesDamaged: what is stored is not what was written.
        """
        last = SeriesChunk.objects.filter(recording_id=self._recording_id).last()
        if last is None:
            return
        samples, gaps = decode(bytes(last.data))
        if len(samples) >= CHUNK_SAMPLES or len(gaps) >= CHUNK_GAPS:
            return
        labels = list(samples[0].probabilities) if samples else []
        self._open = _Open(labels, samples, gaps, last.pk, len(last.data), len(samples) + len(gaps))

    def add(self, samples: Sequence[Sample]) -> None:
        """Take in what one frame showed; nothing, where it showed no face."""
        with self._lock:
            self._new_frames += 1
            self._new_samples += len(samples)
            self.n_samples += len(samples)
            for sample in samples:
                known = list(sample.probabilities)
                if known != self._open.labels:
                    # The first sample, or another model has been made active meanwhile.
                    if self._open.samples:
                        self._seal()
                    self._open.labels = known
                    self._labels += [label for label in known if label not in self._labels]
                self._open.samples.append(sample)
            if len(self._open.samples) >= CHUNK_SAMPLES:
                self._seal()

    def add_gap(self, gap: Gap) -> None:
        """Say why there is nothing for a while; gaps come in the order of their start."""
        with self._lock:
            self._open.gaps.append(gap)
            if len(self._open.gaps) >= CHUNK_GAPS:
                self._seal()

    def save(self, **fields: Any) -> bool:
        """Write what is new, and `fields` of the recording, in one transaction.

        Returns:
            Whether the recording is still there; a deleted one is never brought back.
        """
        with self._lock:
            chunks = [(chunk, chunk.copy()) for chunk in [*self._full, self._open]]
            frames, samples = self._new_frames, self._new_samples
        with transaction.atomic():
            # First, because it locks the recording: whoever deletes it comes before or after.
            rows = Recording.objects.filter(pk=self._recording_id)
            if not rows.update(
                n_frames=F("n_frames") + frames,
                n_samples=F("n_samples") + samples,
                labels=self._labels,
                **fields,
            ):
                return False
            written = [
                (chunk, *self._write(chunk, content))
                for chunk, content in chunks
                if not (content.is_empty or content.is_written)
            ]
            more = sum(n_bytes - chunk.n_bytes for chunk, _pk, n_bytes, _n in written)
            if more:
                rows.update(stored_bytes=F("stored_bytes") + more)
        with self._lock:
            # Only now: what was rolled back is written the next time.
            for chunk, pk, n_bytes, n_entries in written:
                chunk.pk, chunk.n_bytes, chunk.n_written = pk, n_bytes, n_entries
            self._full = [chunk for chunk in self._full if not chunk.is_written]
            self._new_frames -= frames
            self._new_samples -= samples
        return True

    def _seal(self) -> None:
        if not self._open.is_empty:
            self._full.append(self._open)
        self._open = _Open(self._open.labels)

    def _write(self, chunk: _Open, content: _Open) -> tuple[int, int, int]:
        """Write a chunk as it was when saving began.

        Returns:
            Its primary key, its bytes, and how many entries it has now.
        """
        data = encode(content.samples, content.gaps, content.labels)
        first_ms, last_ms = content.covers
        values = {"first_ms": first_ms, "last_ms": last_ms, "data": data}
        pk = chunk.pk
        if pk is None:
            mine = SeriesChunk.objects.filter(recording_id=self._recording_id)
            highest = mine.aggregate(highest=Max("number"))["highest"]
            number = 0 if highest is None else highest + 1
            pk = SeriesChunk.objects.create(
                recording_id=self._recording_id, number=number, **values
            ).pk
        else:
            SeriesChunk.objects.filter(pk=pk).update(**values)
        return pk, len(data), content.n_entries


@dataclass(slots=True)
class _Open:
    """A chunk in the making, and what of it is in the database."""

    labels: list[str]
    samples: list[Sample] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    pk: int | None = None
    n_bytes: int = 0
    n_written: int = 0

    def copy(self) -> _Open:
        return replace(self, labels=[*self.labels], samples=[*self.samples], gaps=[*self.gaps])

    @property
    def n_entries(self) -> int:
        return len(self.samples) + len(self.gaps)

    @property
    def is_empty(self) -> bool:
        return not self.n_entries

    @property
    def is_written(self) -> bool:
        return self.n_written == self.n_entries

    @property
    def covers(self) -> tuple[int, int]:
        times = [s.time_ms for s in (self.samples[:1] + self.samples[-1:])]
        times += [moment for gap in self.gaps for moment in (gap.start_ms, gap.end_ms)]
        return min(times), max(times)


def read(
    recording: Recording, *, from_ms: int = 0, to_ms: int | None = None
) -> Iterator[tuple[list[Sample], list[Gap]]]:
    """A recording's series, chunk by chunk, by one query for each :data:`CHUNKS_AT_ONCE`.

    Args:
        recording: whose.
        from_ms, to_ms: what is wanted, without `to_ms` itself; None for all the rest.

    Returns:
        Samples and gaps of each chunk, by time. A gap is given whole, with the chunk that has it.

    Raises:
        SeriesDamaged: what is stored is not what was written.
    """
    for data in stored_parts(recording, from_ms, to_ms):
        samples, gaps = decode(data)
        yield (
            [s for s in samples if from_ms <= s.time_ms and (to_ms is None or s.time_ms < to_ms)],
            [g for g in gaps if from_ms <= g.end_ms and (to_ms is None or g.start_ms < to_ms)],
        )


def read_columns(recordings: Collection[UUID]) -> dict[UUID, list[Columns]]:
    """Whole series of some recordings, by one query: for arithmetic on dozens of minutes at once.

    Args:
        recordings: their primary keys; all of their series is held in memory.

    Returns:
        For each that has a series, its chunks in order.

    Raises:
        SeriesDamaged: what is stored is not what was written.
    """
    chunks = SeriesChunk.objects.filter(recording_id__in=recordings).order_by("recording", "number")
    found: dict[UUID, list[Columns]] = {}
    for pk, data in chunks.values_list("recording_id", "data"):
        found.setdefault(pk, []).append(decode_columns(bytes(data)))
    return found


def stored_parts(
    recording: Recording, from_ms: int = 0, to_ms: int | None = None
) -> Iterator[bytes]:
    """The chunks that may hold some of what is wanted, as they are stored; see :func:`read`."""
    chunks = SeriesChunk.objects.filter(recording=recording, last_ms__gte=from_ms)
    if to_ms is not None:
        chunks = chunks.filter(first_ms__lt=to_ms)
    return _in_order(chunks)


def _in_order(chunks: QuerySet[SeriesChunk]) -> Iterator[bytes]:
    last = -1
    while True:
        some = list(
            chunks.filter(number__gt=last)
            .order_by("number")
            .values_list("number", "data")[:CHUNKS_AT_ONCE]
        )
        yield from (bytes(data) for _number, data in some)
        if len(some) < CHUNKS_AT_ONCE:
            return
        last = some[-1][0]
