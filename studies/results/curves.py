"""A participant's series as curves on a regular grid; docs/STUDY_RESULTS.md says why so.

Arrays of probabilities have one row for each moment and one column for each label; what is not
known is NaN, and stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

#: Points of the grid a second.
HZ = 10
#: Between samples that are further apart nothing is interpolated, in milliseconds.
LONGEST_BRIDGED_MS = 1000


@dataclass(frozen=True, slots=True)
class Track:
    """The participant's face over a recording.

    Attributes:
        times_ms: of n samples, strictly ascending, since the start of the recording.
        values: n rows, a column for each label: probabilities from 0 to 1.
        gaps_ms: start and end of times that are known to have no samples; g rows, 2 columns.
    """

    times_ms: Whole
    values: Floats
    gaps_ms: Whole


def main_face(times_ms: Whole, faces: Whole, sizes: Whole) -> Whole:
    """The participant among the faces: at each moment the largest one, which sits nearest.

    Args:
        times_ms, faces, sizes: moment, number of the face and its side in pixels, n each.

    Returns:
        Places of the chosen samples, by time; of equal ones the lower number of the face.
    """
    order = np.lexsort((faces, -sizes.astype(np.int64), times_ms))
    _moments, first = np.unique(times_ms[order], return_index=True)
    return order[first]


def grid_times(start_ms: int, end_ms: int, hz: int = HZ) -> Floats:
    """The grid of a block: its start, and on in equal steps, without its end."""
    step = 1000 / hz
    n = max(0, int(np.ceil((end_ms - start_ms) / step)))
    return start_ms + step * np.arange(n, dtype=np.float64)


def on_grid(track: Track, start_ms: int, end_ms: int, hz: int = HZ) -> Floats:
    """Probabilities at the points of a block's grid.

    Between two samples they are interpolated linearly, unless a gap lies between them or they
    are more than :data:`LONGEST_BRIDGED_MS` apart; before the first sample and after the last one
    nothing is known.

    Returns:
        A row for each point of :func:`grid_times`, a column for each label.
    """
    at = grid_times(start_ms, end_ms, hz)
    found = np.full((len(at), track.values.shape[1]), np.nan)
    times = track.times_ms
    if not len(times) or not len(at):
        return found
    left = np.searchsorted(times, at, side="right") - 1
    right = np.minimum(left + 1, len(times) - 1)
    inside = left >= 0
    exact = inside & (times[np.maximum(left, 0)] == at)
    between = inside & ~exact & (left < len(times) - 1) & ~_broken(track)[np.maximum(left, 0)]
    found[exact] = track.values[left[exact]]
    low, high = left[between], right[between]
    share = (at[between] - times[low]) / (times[high] - times[low])
    found[between] = track.values[low] + share[:, None] * (track.values[high] - track.values[low])
    return found


def _broken(track: Track) -> NDArray[np.bool_]:
    """Whether nothing may be interpolated after each sample."""
    times = track.times_ms
    broken = np.ones(len(times), dtype=bool)
    broken[:-1] = np.diff(times) > LONGEST_BRIDGED_MS
    for start, end in track.gaps_ms:
        # Of the stretches from one sample to the next, those that share time with the gap.
        first = max(0, int(np.searchsorted(times, start, side="right")) - 1)
        last = int(np.searchsorted(times, end, side="left"))
        broken[first:last] = True
    return broken


def known_mean(values: Floats, axis: int) -> Floats:
    """The mean of what is known along an axis; NaN where nothing is."""
    known = ~np.isnan(values)
    n = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def corrected(grid: Floats, baseline: Floats | None) -> Floats:
    """Differences from the mean of a baseline's grid; all NaN where there is none."""
    if baseline is None:
        return np.full_like(grid, np.nan)
    return grid - known_mean(baseline, axis=0)


def stacked(grids: Sequence[Floats], n_labels: int) -> Floats:
    """Grids of different lengths as one array: participants, points, labels."""
    longest = max((len(grid) for grid in grids), default=0)
    found = np.full((len(grids), longest, n_labels), np.nan)
    for place, grid in enumerate(grids):
        found[place, : len(grid)] = grid
    return found


def binned(values: Floats, together: int) -> Floats:
    """A curve with fewer points, each the mean of what is known of as many neighbours.

    Args:
        values: points by labels, or those of several participants.
        together: how many points become one; the last one may have fewer.
    """
    *people, n_points, n_labels = values.shape
    n_bins = -(-n_points // together)
    # Neighbour after neighbour: sums over an axis of a few places take several times as long.
    total = np.zeros((*people, n_bins, n_labels))
    n_known = np.zeros((*people, n_bins, n_labels), np.int64)
    for place in range(min(together, n_points)):
        some = values[..., place::together, :]
        known = ~np.isnan(some)
        total[..., : some.shape[-2], :] += np.where(known, some, 0.0)
        n_known[..., : some.shape[-2], :] += known
    return np.where(n_known > 0, total / np.maximum(n_known, 1), np.nan)
