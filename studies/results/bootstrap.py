"""Means of a group with intervals, by a bootstrap over participants (percentile method)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studies.results.curves import Floats, Whole, known_mean

#: How often participants are drawn anew.
RESAMPLES = 1000
#: Of the intervals.
LEVEL = 0.95
#: Participants below which there is no interval: it would only pretend.
NEEDED = 5
#: The same data give the same intervals.
SEED = 20_261_128
#: Means that are resampled at once; bounds the memory, 4 kB each.
_AT_ONCE = 4000


@dataclass(frozen=True, slots=True)
class Estimates:
    """Means of a group, of any shape.

    Attributes:
        mean: of those of whom something is known; NaN where that is nobody.
        low, high: ends of the interval; NaN below :data:`NEEDED` participants.
        n: of how many something is known.
    """

    mean: Floats
    low: Floats
    high: Floats
    n: Whole


def estimate(values: Floats, resamples: int = RESAMPLES, seed: int = SEED) -> Estimates:
    """Means over participants, with intervals.

    A resample draws as many participants as there are, with replacement, whole: all that one gave
    stays together. Its mean is that of those drawn of whom something is known.

    Args:
        values: participants first, whatever follows; NaN is unknown.
    """
    n_people, shape = values.shape[0], values.shape[1:]
    flat = values.reshape(n_people, int(np.prod(shape)))
    known = ~np.isnan(flat)
    n = known.sum(axis=0)
    low = np.full(flat.shape[1], np.nan)
    high = np.full(flat.shape[1], np.nan)
    enough = np.flatnonzero(n >= NEEDED)
    if len(enough):
        drawn = np.random.default_rng(seed).multinomial(
            n_people, np.full(n_people, 1 / n_people), size=resamples
        )
        weights = drawn.astype(np.float32)
        for begin in range(0, len(enough), _AT_ONCE):
            some = enough[begin : begin + _AT_ONCE]
            low[some], high[some] = _interval(weights, flat[:, some], known[:, some])
    return Estimates(
        known_mean(flat, axis=0).reshape(shape),
        low.reshape(shape),
        high.reshape(shape),
        n.reshape(shape),
    )


def _interval(
    weights: NDArray[np.float32], values: Floats, known: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    # Around the mean, so that 32 bits are enough.
    middle = known_mean(values, axis=0)
    sums = weights @ np.where(known, values - middle, 0.0).astype(np.float32)
    if known.all():
        means = sums / len(values)
    else:
        counts = weights @ known.astype(np.float32)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.where(counts > 0, sums / counts, np.nan)
    tail = (1 - LEVEL) / 2
    # One that drew nobody of whom something is known says nothing, and is sorted last.
    means = np.sort(means, axis=0)
    n_valid = (~np.isnan(means)).sum(axis=0)
    return middle + _quantile(means, n_valid, tail), middle + _quantile(means, n_valid, 1 - tail)


def _quantile(ascending: NDArray[np.floating[Any]], n_valid: Whole, share: float) -> Floats:
    at = share * (n_valid - 1)
    below = np.floor(at).astype(np.int64)
    above = np.minimum(below + 1, n_valid - 1)
    first = np.take_along_axis(ascending, below[None], axis=0)[0]
    second = np.take_along_axis(ascending, above[None], axis=0)[0]
    return np.asarray(first + (at - below) * (second - first), dtype=np.float64)
