"""Counts over time as the shapes of a stacked bar chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

#: Units of the drawing from one bar to the next, and of a bar's height at most.
STEP, HEIGHT = 10, 100
#: Units between two bars; none where there are so many that it would eat them up.
GAP, MOST_WITH_GAP = 2, 130


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar, in units of the drawing, with what it stands for."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: float
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of `width` × :data:`HEIGHT` units.

    Attributes:
        parts: of all bars, each bar from the bottom up.
        top: value at the upper edge.
        ticks: first day, middle of the range, last day.
    """

    width: int
    parts: list[Part]
    top: float
    ticks: list[date]
    height: int = HEIGHT


def stacked(periods: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Chart:
    """Draw the periods of :func:`.counts.of`, the first label at the bottom."""
    top = max((period["total"] for period in periods), default=0)
    gap = GAP if len(periods) <= MOST_WITH_GAP else 0
    parts = []
    for index, period in enumerate(periods):
        begin, end = date.fromisoformat(period["start"]), date.fromisoformat(period["end"])
        y = float(HEIGHT)
        for label in labels:
            value = period["counts"][label]
            height = HEIGHT * value / top if top else 0.0
            y -= height
            if value:
                x = index * STEP + gap / 2
                parts.append(Part(x, max(y, 0.0), STEP - gap, height, label, value, begin, end))
    starts = [date.fromisoformat(period["start"]) for period in periods]
    ticks = [starts[0], starts[len(starts) // 2]] if len(starts) > 2 else starts[:1]
    last = [date.fromisoformat(period["end"]) for period in periods[-1:]]
    ticks += [day for day in last if day not in ticks]
    return Chart(max(1, len(periods)) * STEP, parts, top, ticks)
