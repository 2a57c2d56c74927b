"""What a recorded session keeps, and how it is drawn."""

from __future__ import annotations

import pytest

from recognition.live.chart import COLUMNS, face_charts
from recognition.series.timeline import LabelTimeline, read_stretches, shares
from recognition.vision.tracking import TrackedFace
from recognition.vision.types import BoundingBox

LABELS = ("happy", "sad", "surprise", "neutral")


def face(label: str, number: int = 1, confidence: float = 0.8) -> TrackedFace:
    return TrackedFace(number, BoundingBox(0, 0, 9, 9), label, {label: confidence})


def test_frames_become_stretches() -> None:
    line = LabelTimeline()
    for index in range(31):
        line.add([face("happy", confidence=0.8 if index % 2 else 0.6)], index / 10)
    for index in range(31, 41):
        line.add([face("sad"), face("neutral", 2)], index / 10)
    assert line.as_stored() == [
        (1, "happy", 0.0, 3.1, 0.697),
        (1, "sad", 3.1, 4.0, 0.8),
        (2, "neutral", 3.1, 4.0, 0.8),
    ]


def test_a_face_that_was_away_begins_anew() -> None:
    line = LabelTimeline()
    for at in (0.0, 0.5, 3.0, 3.5):
        line.add([face("happy")], at)
    assert [(s.start, s.end) for s in line.stretches] == [(0.0, 0.5), (3.0, 3.5)]


def test_shares_are_of_the_time_seen() -> None:
    stretches = read_stretches([(1, "sad", 3.0, 4.0, 0.5), (1, "happy", 0.0, 3.0, 0.9)])
    assert [stretch.label for stretch in stretches] == ["happy", "sad"]
    assert shares(stretches, LABELS) == {"happy": 0.75, "sad": 0.25, "surprise": 0, "neutral": 0}
    assert sum(shares([], LABELS).values()) == 0


def test_the_chart_has_a_lane_for_each_label() -> None:
    stretches = read_stretches(
        [(1, "happy", 0.0, 5.0, 0.9), (1, "neutral", 7.5, 10.0, 0.9), (3, "sad", 9.99, 10.0, 0.9)]
    )
    first, third = face_charts(stretches, LABELS, 10.0)
    assert [(b.x, b.width, b.lane) for b in first.bars] == [
        (0, COLUMNS // 2, 0),
        (COLUMNS * 3 // 4, COLUMNS // 4, 3),
    ]
    assert first.seconds == pytest.approx(7.5)
    assert [(b.x, b.width, b.lane) for b in third.bars] == [(COLUMNS - 1, 1, 1)]


def test_a_restless_session_has_no_more_shapes_than_columns() -> None:
    stored = [(1, LABELS[n % 4], n / 10, (n + 1) / 10, 0.9) for n in range(20_000)]
    (chart,) = face_charts(read_stretches(stored), LABELS, 2000.0)
    assert len(chart.bars) <= COLUMNS


def test_a_session_without_length_can_be_drawn() -> None:
    (chart,) = face_charts(read_stretches([(1, "sad", 0.0, 0.0, 0.5)]), LABELS, 0.0)
    assert [(b.x, b.width) for b in chart.bars] == [(0, 1)]
