"""What a participant's block comes to: a few numbers for each label."""

from __future__ import annotations

import numpy as np

from studies.results.curves import HZ, Floats, known_mean

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
    shown = raw if shown is None else shown
    n_people, n_points, n_labels = raw.shape
    found = np.full((n_people, len(FIGURES), n_labels), np.nan)
    if not n_points:
        return found
    known = ~np.isnan(shown)
    highest = np.where(known, shown, -np.inf)
    has_any = known.any(axis=1)
    found[:, 0] = known_mean(shown, axis=1)
    found[:, 1] = np.where(has_any, highest.max(axis=1), np.nan)
    found[:, 2] = np.where(has_any, highest.argmax(axis=1) / hz, np.nan)
    known = ~np.isnan(raw)
    seen = known.any(axis=2)
    likeliest = np.where(known, raw, -np.inf).argmax(axis=2)
    n_seen = np.maximum(seen.sum(axis=1), 1)
    for label in range(n_labels):
        share = (seen & (likeliest == label)).sum(axis=1) / n_seen
        # A label that the model did not know was no choice.
        found[:, 3, label] = np.where(known[:, :, label].any(axis=1), share, np.nan)
    return found


def covered(grid: Floats) -> float:
    """Share of a grid's points, from 0 to 1, at which something is known."""
    return float((~np.isnan(grid)).any(axis=1).mean()) if len(grid) else 0.0
