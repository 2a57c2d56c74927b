"""What a participant's block comes to: a few numbers for each label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studies.results.curves import HZ, Floats

#: For each label, and in this order:
#: the mean of the curve, over the points at which something is known;
#: its highest value; seconds from the block's start to the first moment with that value;
#: of the points with a face, the share at which the label is the likeliest (raw in any case).
FIGURES = ("mean", "peak", "latency", "share")


def figures_of(raw: Floats, shown: Floats | None = None, hz: int = HZ) -> Floats:
    """Figures of a block, of many participants at once.

    Args:
        raw: participants, points, labels: probabilities.
        shown: the same as it is to be told of, such as corrected by a baseline; `raw` by default.

    Returns:
        Participants, :data:`FIGURES`, labels; NaN where nothing is known.
    """
    n_people, _n_points, n_labels = raw.shape
    found = np.full((n_people, len(FIGURES), n_labels), np.nan)
    if not raw.size:
        return found
    # Points last, in memory too: what is worked out along them is several times as fast.
    known, highest = _known_and_highest(raw)
    found[:, 3] = _shares(known, highest)
    if shown is not None:
        known, highest = _known_and_highest(shown)
    n_known = known.sum(axis=2)
    has_any = n_known > 0
    total = np.where(known, highest, 0.0).sum(axis=2)
    found[:, 0] = np.where(has_any, total / np.maximum(n_known, 1), np.nan)
    found[:, 1] = np.where(has_any, highest.max(axis=2), np.nan)
    found[:, 2] = np.where(has_any, highest.argmax(axis=2) / hz, np.nan)
    return found


def _known_and_highest(values: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Participants, labels, points: whether something is known, and what, or minus infinity."""
    turned = np.ascontiguousarray(values.transpose(0, 2, 1))
    known = ~np.isnan(turned)
    return known, np.where(known, turned, -np.inf)


def _shares(known: NDArray[np.bool_], highest: Floats) -> Floats:
    """Participants, labels: of the points with a face, where the label is the likeliest."""
    n_people, n_labels, _n_points = highest.shape
    most = highest[:, 0]
    likeliest = np.zeros(most.shape, np.int64)
    for label in range(1, n_labels):
        # Of equal ones the first.
        likeliest = np.where(highest[:, label] > most, label, likeliest)
        most = np.maximum(most, highest[:, label])
    seen = known.any(axis=1)
    n_seen = np.maximum(seen.sum(axis=1), 1)
    found = np.full((n_people, n_labels), np.nan)
    for label in range(n_labels):
        share = (seen & (likeliest == label)).sum(axis=1) / n_seen
        # A label that the model did not know was no choice.
        found[:, label] = np.where(known[:, label].any(axis=1), share, np.nan)
    return found


def covered(grid: Floats) -> float:
    """Share of a grid's points, from 0 to 1, at which something is known."""
    return float((~np.isnan(grid)).any(axis=1).mean()) if len(grid) else 0.0
