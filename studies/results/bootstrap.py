"""Means of a group with intervals, by a bootstrap over participants (percentile method)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
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
        weights = _weights(n_people, resamples, seed)
        for begin in range(0, len(enough), _AT_ONCE):
            some = enough[begin : begin + _AT_ONCE]
            low[some], high[some] = _interval(weights, flat[:, some], known[:, some])
    return Estimates(
        known_mean(flat, axis=0).reshape(shape),
        low.reshape(shape),
        high.reshape(shape),
        n.reshape(shape),
    )


@lru_cache(maxsize=8)
def _weights(n_people: int, resamples: int, seed: int) -> NDArray[np.float32]:
    """How often each resample (row) draws each participant (column)."""
    drawn = np.random.default_rng(seed).multinomial(
        n_people, np.full(n_people, 1 / n_people), size=resamples
    )
    return drawn.astype(np.float32)


def _interval(
    weights: NDArray[np.float32], values: Floats, known: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    # Around the mean, so that 32 bits are enough.
    middle = known_mean(values, axis=0)
    differences = np.where(known, values - middle, 0.0).T.astype(np.float32)
    # Rows are what is estimated, and columns the resamples.
    means = np.ascontiguousarray(differences) @ weights.T
    if known.all():
        means /= len(values)
        n_valid = np.full(len(means), means.shape[1])
    else:
        counts = np.ascontiguousarray(known.T.astype(np.float32)) @ weights.T
        with np.errstate(invalid="ignore", divide="ignore"):
            # A resample that drew nobody of whom something is known says nothing.
            means = np.where(counts > 0, means / counts, np.nan)
        n_valid = (counts > 0).sum(axis=1)
    tail = (1 - LEVEL) / 2
    low, high = np.empty(len(means)), np.empty(len(means))
    for n in np.unique(n_valid):
        rows = n_valid == n
        low[rows], high[rows] = _quantiles(means[rows], int(n), (tail, 1 - tail))
    return middle + low, middle + high


def _quantiles(
    means: NDArray[np.floating[Any]], n_valid: int, shares: tuple[float, float]
) -> list[Floats]:
    """Quantiles of each row's first `n_valid` values in order; NaN come last in it."""
    at = [share * (n_valid - 1) for share in shares]
    below = [int(place) for place in at]
    above = [min(place + 1, n_valid - 1) for place in below]
    # All of them in order: NumPy has vector instructions for that, and none for four places.
    means = np.sort(means, axis=1)
    return [
        np.asarray(means[:, b] + (place - b) * (means[:, a] - means[:, b]), dtype=np.float64)
        for place, b, a in zip(at, below, above, strict=True)
    ]
