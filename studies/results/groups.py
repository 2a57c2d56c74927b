"""A block of a group of participants: curve and table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studies.results.bootstrap import Estimates, estimate
from studies.results.curves import HZ, Floats, binned, corrected, stacked
from studies.results.figures import figures_of

#: Points of a group's curve at most: more would not be seen.
MOST_POINTS = 150


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
    """One participant's grids of a block and of the baseline before it, if there was one."""

    grid: Floats
    baseline: Floats | None


def shown(seen: Seen, is_corrected: bool) -> Floats:
    """A participant's curve of a block, raw or corrected by their baseline."""
    return corrected(seen.grid, seen.baseline) if is_corrected else seen.grid


def block_result(
    people: Sequence[Seen], n_labels: int, *, is_corrected: bool, most_points: int = MOST_POINTS
) -> BlockResult:
    """Curve and figures of those who saw a block."""
    curves = [shown(seen, is_corrected) for seen in people]
    has_any = [bool((~np.isnan(curve)).any()) for curve in curves]
    all_of_them = stacked(curves, n_labels)
    fewer, together = binned(all_of_them, most_points)
    figures = np.full((len(people), 4, n_labels), np.nan)
    for place, (seen, curve) in enumerate(zip(people, curves, strict=True)):
        if has_any[place]:
            figures[place] = figures_of(seen.grid, curve).stacked()
    steps = np.arange(fewer.shape[1])
    return BlockResult(
        n=sum(has_any),
        curve=Curve(
            # A point stands for itself and those after it, up to the next one.
            seconds=(steps * together + (together - 1) / 2) / HZ,
            length=all_of_them.shape[1] / HZ,
            values=estimate(fewer),
        ),
        figures=estimate(figures),
    )
