"""Figures as pages and programs take them."""

from __future__ import annotations

import numpy as np


def number(value: float) -> float | None:
    """A figure, or None where nothing is known."""
    return None if np.isnan(value) else float(value)
