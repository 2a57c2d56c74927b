"""What one participant's block comes to: a few numbers for each label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studies.results.curves import HZ, Floats, known_mean

#: In the order of :meth:`BlockFigures.stacked`.
FIGURES = ("mean", "peak", "latency", "share")


@dataclass(frozen=True, slots=True)
class BlockFigures:
    """Figures of one block of one participant; arrays have a number for each label.

    Attributes:
        mean: of the curve, over the points at which something is known.
        peak: its highest value.
        latency: seconds from the block's start to the first moment with that value.
        share: of the known points, those at which the label is the likeliest; raw in any case.
        covered: share of the block's points at which something is known, from 0 to 1.
    """

    mean: Floats
    peak: Floats
    latency: Floats
    share: Floats
    covered: float

    def stacked(self) -> Floats:
        """Rows :data:`FIGURES`, columns the labels."""
        return np.stack([self.mean, self.peak, self.latency, self.share])


def figures_of(raw: Floats, shown: Floats | None = None, hz: int = HZ) -> BlockFigures:
    """Figures of a block.

    Args:
        raw: its grid, points by labels: probabilities.
        shown: the same as it is to be told of, such as corrected by a baseline; `raw` by default.
    """
    shown = raw if shown is None else shown
    n_labels = raw.shape[1]
    nothing = np.full(n_labels, np.nan)
    seen: NDArray[np.bool_] = np.asarray(~np.isnan(raw).all(axis=1))
    share = nothing
    if seen.any():
        likeliest = np.nanargmax(raw[seen], axis=1)
        share = np.bincount(likeliest, minlength=n_labels) / seen.sum()
        # A label that the model did not know was no choice.
        share = np.where(np.isnan(raw[seen]).all(axis=0), np.nan, share)
    highest = np.where(np.isnan(shown), -np.inf, shown)
    has_any = ~np.isnan(shown).all(axis=0) if len(shown) else np.zeros(n_labels, dtype=bool)
    return BlockFigures(
        mean=known_mean(shown, axis=0),
        peak=np.where(has_any, highest.max(axis=0, initial=-np.inf), np.nan),
        latency=np.where(has_any, highest.argmax(axis=0) / hz, np.nan) if len(raw) else nothing,
        share=share,
        covered=float(seen.mean()) if len(seen) else 0.0,
    )
