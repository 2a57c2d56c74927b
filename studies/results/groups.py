"""A block of a group of participants: curve and table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studies.results.bootstrap import Estimates, estimate
from studies.results.curves import HZ, Floats, binned, corrected, stacked
from studies.results.figures import FIGURES, figures_of
from studies.results.packing import PackedGrid

#: Points of a group's curve at most: more would not be seen.
MOST_POINTS = 120
#: Points of participants' curves that are worked on at once: as many as a processor keeps near.
POINTS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Curve:
    """A group's curve.

    Attributes:
        seconds: since the block's start, the middle of what each point is the mean of.
        length: of the longest visit, in seconds.
        values: points by labels.
    """

    seconds: Floats
    length: float
    values: Estimates


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What a group shows in a block.

    Attributes:
        n: participants of whom anything is known in it.
        figures: rows :data:`~studies.results.figures.FIGURES`, columns the labels.
    """

    n: int
    curve: Curve
    figures: Estimates


@dataclass(frozen=True, slots=True)
class Seen:
    """One participant's grids of a block and of the baseline before it, if there was one.

    Attributes:
        kept, kept_baseline: as they are kept.
    """

    kept: Floats | PackedGrid
    kept_baseline: Floats | PackedGrid | None

    @property
    def grid(self) -> Floats:
        return np.asarray(self.kept, np.float64)

    @property
    def baseline(self) -> Floats | None:
        return None if self.kept_baseline is None else np.asarray(self.kept_baseline, np.float64)


def shown(seen: Seen, is_corrected: bool) -> Floats:
    """A participant's curve of a block, raw or corrected by their baseline."""
    return corrected(seen.grid, seen.baseline) if is_corrected else seen.grid


def block_result(
    people: Sequence[Seen], n_labels: int, *, is_corrected: bool, most_points: int = MOST_POINTS
) -> BlockResult:
    """Curve and figures of those who saw a block."""
    longest = max((len(seen.kept) for seen in people), default=0)
    together = max(1, -(-longest // most_points))
    fewer = np.full((len(people), -(-longest // together), n_labels), np.nan)
    figures = np.full((len(people), len(FIGURES), n_labels), np.nan)
    has_any = np.zeros(len(people), dtype=bool)
    # Some at once, and thinned at once: all of them at full length may be gigabytes.
    at_once = max(1, POINTS_AT_ONCE // max(1, longest))
    for begin in range(0, len(people), at_once):
        some = slice(begin, begin + at_once)
        raw = stacked([seen.grid for seen in people[some]], n_labels)
        curves = raw
        if is_corrected:
            curves = stacked([shown(seen, True) for seen in people[some]], n_labels)
        thinned = binned(curves, together)
        fewer[some, : thinned.shape[1]] = thinned
        figures[some] = figures_of(raw, curves)
        has_any[some] = ~np.isnan(curves).all(axis=(1, 2))
    # Who has nothing to be shown has no figures either.
    figures[~has_any] = np.nan
    steps = np.arange(fewer.shape[1])
    return BlockResult(
        n=int(has_any.sum()),
        curve=Curve(
            # A point stands for itself and those after it, up to the next one.
            seconds=(steps * together + (together - 1) / 2) / HZ,
            length=longest / HZ,
            values=estimate(fewer),
        ),
        figures=estimate(figures),
    )
