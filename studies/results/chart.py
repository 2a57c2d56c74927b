"""Curves as shapes of an SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studies.results.curves import HZ, Floats, binned
from studies.results.groups import Curve

#: Size of a chart's view box. It is stretched over the width of the page.
WIDTH, HEIGHT = 600, 200
#: Points of a participant's small chart.
SMALL_POINTS = 60


@dataclass(frozen=True, slots=True)
class Line:
    """A label's curve: lines, and areas between the ends of intervals, each without a gap."""

    label: str
    lines: list[str]
    bands: list[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of all labels.

    Attributes:
        length: seconds that its width stands for.
        top, bottom: values at its edges.
        zero: where 0 is, from the top; None where that is the lower edge.
    """

    lines: list[Line]
    length: float
    top: float
    bottom: float

    @property
    def zero(self) -> float | None:
        return HEIGHT * self.top / (self.top - self.bottom) if self.bottom < 0 else None


def scale(curves: Sequence[Floats], is_corrected: bool) -> tuple[float, float]:
    """Upper and lower edge of charts that are compared: 1 and 0, or as far both ways."""
    if not is_corrected:
        return 1.0, 0.0
    found = [float(np.nanmax(np.abs(curve))) for curve in curves if not np.isnan(curve).all()]
    most = min(1.0, max(0.1, math.ceil(10 * max(found, default=0.1)) / 10))
    return most, -most


def group_chart(curve: Curve, labels: Sequence[str], top: float, bottom: float) -> Chart:
    """A group's curves with their bands."""
    values = curve.values
    return Chart(
        [
            Line(
                label,
                _lines(curve.seconds, values.mean[:, place], curve.length, top, bottom),
                _bands(
                    curve.seconds,
                    values.low[:, place],
                    values.high[:, place],
                    (curve.length, top, bottom),
                ),
            )
            for place, label in enumerate(labels)
        ],
        curve.length,
        top,
        bottom,
    )


def small_chart(curve: Floats, labels: Sequence[str], length: float, is_corrected: bool) -> Chart:
    """One participant's curves, coarsely; all of a block have the same length and scale."""
    top, bottom = (1.0, -1.0) if is_corrected else (1.0, 0.0)
    together = max(1, -(-len(curve) // SMALL_POINTS))
    fewer = binned(curve, together)
    seconds = (np.arange(len(fewer)) * together + (together - 1) / 2) / HZ
    lines = [
        Line(label, _lines(seconds, fewer[:, place], length, top, bottom), [])
        for place, label in enumerate(labels)
    ]
    return Chart(lines, length, top, bottom)


def _at(second: float, value: float, length: float, top: float, bottom: float) -> str:
    x = WIDTH * second / length if length else 0.0
    y = HEIGHT * (top - value) / (top - bottom)
    return f"{x:.1f},{y:.1f}"


def _stretches(known: Floats) -> list[range]:
    """Neighbours that are known, as ranges of places."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(int), [0]])))
    return [range(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _lines(seconds: Floats, values: Floats, length: float, top: float, bottom: float) -> list[str]:
    return [
        " ".join(_at(seconds[i], values[i], length, top, bottom) for i in stretch)
        for stretch in _stretches(~np.isnan(values))
    ]


def _bands(
    seconds: Floats, low: Floats, high: Floats, frame: tuple[float, float, float]
) -> list[str]:
    found = []
    for stretch in _stretches(~np.isnan(low)):
        there = [_at(seconds[i], high[i], *frame) for i in stretch]
        back = [_at(seconds[i], low[i], *frame) for i in reversed(stretch)]
        found.append(" ".join(there + back))
    return found
