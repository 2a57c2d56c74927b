"""Grids and visits of one participant at a time, read when they are asked for.

Whoever downloads a study slowly would otherwise keep those of all of them in memory meanwhile.
Whoever has withdrawn since has none any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from django.db.models import F

from studies.models import ParticipationGrid, Visit
from studies.results import packing
from studies.results.curves import Floats
from studies.results.packing import PackedGrid, PackedGrids

#: Visits that are fetched at once.
VISITS_AT_ONCE = 2000


class Stay(NamedTuple):
    """A visit that ended: a few bytes in place of a row of the database."""

    block_id: int
    start_ms: int
    end_ms: int


Visits = Mapping[int, Stay]


def visits(**which: Any) -> Iterator[tuple[UUID, dict[int, Stay]]]:
    """Whoever saw a block to its end, and such visits by block, in the order of their start.

    Args:
        which: as filters of :class:`Visit`. The query stays open from one person to the next.
    """
    ended = Visit.objects.filter(end_ms__gt=F("start_ms"), **which)
    rows = ended.order_by("participation", "start_ms", "pk").values_list(
        "participation_id", "block_id", "start_ms", "end_ms"
    )
    found: Iterable[tuple[Any, ...]] = rows.iterator(chunk_size=VISITS_AT_ONCE)
    for pk, some in groupby(found, itemgetter(0)):
        yield pk, {row[1]: Stay(*row[1:]) for row in some}


class Reader:
    """Has what it read of the last participant that it was asked for."""

    def __init__(self) -> None:
        self._grids: tuple[UUID, dict[int, PackedGrid]] | None = None
        self._visits: tuple[UUID, dict[int, Stay]] | None = None

    def grids(self, of: UUID, labels: Sequence[str]) -> dict[int, PackedGrid]:
        """A participant's grids by block, with columns for these labels."""
        if self._grids is None or self._grids[0] != of:
            kept = ParticipationGrid.objects.filter(participation_id=of)
            data = kept.values_list("data", flat=True).first()
            found = {} if data is None else in_columns(packing.unpack(bytes(data)), labels)
            self._grids = (of, found)
        return self._grids[1]

    def visits(self, of: UUID) -> dict[int, Stay]:
        """A participant's visits by block, in the order of their start."""
        if self._visits is None or self._visits[0] != of:
            self._visits = (of, dict(visits(participation=of)).get(of, {}))
        return self._visits[1]


@dataclass(frozen=True, slots=True)
class KeptGrids(Mapping[int, PackedGrid]):
    """One participant's grids, left where they are kept until they are asked for."""

    reader: Reader
    of: UUID
    labels: Sequence[str]

    def __getitem__(self, block: int) -> PackedGrid:
        return self.reader.grids(self.of, self.labels)[block]

    def __iter__(self) -> Iterator[int]:
        return iter(self.reader.grids(self.of, self.labels))

    def __len__(self) -> int:
        return len(self.reader.grids(self.of, self.labels))


@dataclass(frozen=True, slots=True)
class KeptVisits(Mapping[int, Stay]):
    """One participant's visits, left where they are kept until they are asked for."""

    reader: Reader
    of: UUID

    def __getitem__(self, block: int) -> Stay:
        return self.reader.visits(self.of)[block]

    def __iter__(self) -> Iterator[int]:
        return iter(self.reader.visits(self.of))

    def __len__(self) -> int:
        return len(self.reader.visits(self.of))


def in_columns(made: PackedGrids, labels: Sequence[str]) -> dict[int, PackedGrid]:
    """Grids by block, with columns for these labels."""
    return {pk: grid.with_labels(made.labels, labels) for pk, grid in made.by_block.items()}


def with_labels(values: Floats, known: Sequence[str], wanted: Sequence[str]) -> Floats:
    """Columns in another order; NaN for labels that a model did not know."""
    if list(known) == list(wanted):
        return values
    found = np.full((len(values), len(wanted)), np.nan, values.dtype)
    for place, label in enumerate(wanted):
        if label in known:
            found[:, place] = values[:, known.index(label)]
    return found
