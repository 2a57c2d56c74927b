"""A recorded session as the shapes of its timeline chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recognition.models import Marker
from recognition.series.timeline import Stretch

#: Columns of the chart: a stretch that is shorter than one still gets one, and thousands of
#: stretches become no more shapes than a screen has room for.
COLUMNS = 500
#: Faces that have a chart: as many as one frame may show.
MOST_CHARTS = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """Columns ``x`` to ``x + width`` of a face's chart; `lane` is the label's place, from 0."""

    x: int
    width: int
    lane: int
    label: str


@dataclass(frozen=True, slots=True)
class FaceChart:
    """One face's part of the chart; `seconds` is for how long it was seen."""

    face: int
    bars: list[Bar]
    seconds: float


def marker_lines(markers: Iterable[Marker], seconds: float) -> list[tuple[float, str]]:
    """Where markers are among the chart's columns, and their names; one line for each column."""
    lines: dict[int, tuple[float, str]] = {}
    for marker in markers:
        x = round(min(1.0, marker.seconds / max(seconds, 0.01)) * COLUMNS, 1)
        first, names = lines.get(int(x), (x, ""))
        lines[int(x)] = (first, f"{names}, {marker.name}" if names else marker.name)
    return list(lines.values())


def face_charts(
    stretches: Iterable[Stretch], labels: Sequence[str], seconds: float
) -> list[FaceChart]:
    """Charts of those faces that were longest in view, by number, at most :data:`MOST_CHARTS`.

    Args:
        stretches: of the session, by their start.
        labels: from the top lane to the bottom one.
        seconds: how long the session lasted.
    """
    by_face: dict[int, list[Stretch]] = {}
    for stretch in stretches:
        by_face.setdefault(stretch.face, []).append(stretch)
    in_view = {face: sum(s.seconds for s in of_face) for face, of_face in by_face.items()}
    longest = sorted(in_view, key=lambda face: (-in_view[face], face))[:MOST_CHARTS]
    return [
        FaceChart(face, _bars(by_face[face], labels, seconds), in_view[face])
        for face in sorted(longest)
    ]


def _bars(stretches: list[Stretch], labels: Sequence[str], seconds: float) -> list[Bar]:
    columns: list[str | None] = [None] * COLUMNS
    for stretch in stretches:
        first = min(COLUMNS - 1, int(stretch.start / max(seconds, 0.01) * COLUMNS))
        last = min(COLUMNS, round(stretch.end / max(seconds, 0.01) * COLUMNS))
        columns[first : max(last, first + 1)] = [stretch.label] * max(last - first, 1)
    bars: list[Bar] = []
    begin = 0
    for end in range(1, COLUMNS + 1):
        if end == COLUMNS or columns[end] != columns[begin]:
            label = columns[begin]
            if label is not None and label in labels:
                bars.append(Bar(begin, end - begin, labels.index(label), label))
            begin = end
    return bars
