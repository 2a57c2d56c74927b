"""Means from marker to marker: right to the digit, honest about how sure they are."""

from __future__ import annotations

import random
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from accounts.models import User
from recognition.models import Recording
from recognition.series import answers, markers, overview, stretches
from recognition.series.arrays import parts
from recognition.series.storing import SeriesWriter, read
from recognition.series.stretches import Span, t_quantile
from tests.support.series import LABELS, sample


def make(alice: User, values: list[tuple[int, int, float]], seconds: float = 60) -> Recording:
    """A recording of (time in ms, face, probability of happy)."""
    now = timezone.now()
    recording = Recording.objects.create(
        owner=alice, started_at=now - timedelta(seconds=seconds), ended_at=now
    )
    writer = SeriesWriter(recording)
    for time_ms, face, happy in values:
        label = "happy" if happy >= 0.5 else "sad"
        writer.add([sample(time_ms, face, happy, label)])
    writer.save()
    return Recording.objects.get(pk=recording.pk)


def test_arrays_hold_what_the_samples_do(alice: User) -> None:
    recording = make(alice, [(100 * i, 1 + i % 2, (i % 10) / 10) for i in range(3000)], 300)
    samples = [s for some, _gaps in read(recording, from_ms=500, to_ms=250_000) for s in some]
    found = list(parts(recording, 500, 250_000))
    assert len(found) > 1
    assert np.concatenate([p.time_ms for p in found]).tolist() == [s.time_ms for s in samples]
    assert np.concatenate([p.face for p in found]).tolist() == [s.face for s in samples]
    labels = [LABELS[i] for p in found for i in p.label.tolist()]
    assert labels == [s.label for s in samples]
    values = np.concatenate([p.probabilities for p in found]).tolist()
    assert values == [[s.probabilities[label] for label in LABELS] for s in samples]


def test_spans_go_from_marker_to_marker(alice: User) -> None:
    recording = make(alice, [], seconds=10)
    for time_ms, name in ((4000, "film"), (4000, "sound"), (0, "start"), (999_999, "beyond")):
        markers.add(recording.pk, time_ms, name)
    found = [(s.start_ms, s.end_ms, s.name) for s in stretches.spans(recording)]
    assert found == [(0, 4000, "start"), (4000, 10_001, "film, sound")]
    assert stretches.spans(make(alice, [], seconds=3)) == [Span(0, 3001)]


def test_shares_means_and_changes(alice: User) -> None:
    first = [(100 * i, 1, 0.25) for i in range(300)]
    second = [(30_000 + 100 * i, 1, 0.75 if i % 2 else 0.25) for i in range(300)]
    recording = make(alice, [*first, *second, (59_950, 2, 0.75)])
    markers.add(recording.pk, 30_000, "film")
    given = [(1, 0, 15_000, "neutral"), (1, 0, 3_000, "not_a_face"), (2, 0, 1, "sad")]
    before, after, other = stretches.rows(
        recording, stretches.spans(recording), given, baseline=Span(0, 30_000)
    )
    assert (before.face, before.n, before.span.name) == (1, 300, "")
    assert before.shares == {"sad": 0.5, "neutral": 0.4, "not_a_face": 0.1}
    assert before.means["happy"].value == pytest.approx(0.25, abs=1e-3)
    assert before.means["happy"].margin == pytest.approx(0, abs=1e-9)
    assert before.changes is not None
    assert before.changes["happy"] == pytest.approx(0)
    assert (after.n, after.span.name) == (300, "film")
    assert after.shares == {"happy": 0.5, "sad": 0.5}
    assert after.means["happy"].value == pytest.approx(0.5, abs=1e-3)
    assert after.changes is not None
    assert after.changes["happy"] == pytest.approx(0.25, abs=1e-3)
    # A face that the baseline does not know, and too little for an interval.
    assert (other.face, other.n, other.changes) == (2, 1, None)
    assert other.means["happy"].margin is None


def test_the_interval_holds_the_truth_as_often_as_it_says(alice: User) -> None:
    """For values that drift, as a face's do; one from single samples would hold it rarely."""
    chance = random.Random(5)
    n_held = n_naive = 0
    for _run in range(60):
        mood, values = 0.0, []
        for index in range(1200):
            mood = 0.9 * mood + chance.gauss(0, 0.03)
            values.append((100 * index, 1, min(0.95, max(0.05, 0.5 + mood))))
        recording = make(alice, values, 120)
        (row,) = stretches.rows(recording, stretches.spans(recording))
        mean = row.means["happy"]
        assert mean.margin is not None
        n_held += abs(mean.value - 0.5) <= mean.margin
        spread = np.std([happy for _time, _face, happy in values])
        n_naive += abs(mean.value - 0.5) <= 1.96 * spread / np.sqrt(1200)
    assert n_held >= 52
    assert n_naive < 40


@pytest.mark.parametrize(
    ("freedom", "expected"), [(3, 3.182), (5, 2.571), (10, 2.228), (39, 2.023)]
)
def test_students_t(freedom: int, expected: float) -> None:
    assert t_quantile(freedom) == pytest.approx(expected, abs=0.01)


def test_the_overview_has_the_means_of_each_place(alice: User) -> None:
    values = [(100 * i, 1, (i % 10) / 10) for i in range(100)]
    recording = make(alice, [*values, (5_000, 2, 0.5)], 10)
    whole = overview.look_at(recording, 0, 10_000, 10)
    assert (whole.labels, whole.step_ms, whole.n_faces) == (list(LABELS), 1000, 2)
    one, two = whole.faces
    assert (one["face"], one["n"], one["t"][:2]) == (1, [10] * 10, [450, 1450])
    assert one["p"]["happy"] == pytest.approx([0.45] * 10, abs=1e-3)
    assert (two["face"], two["t"], two["n"]) == (2, [5000], [1])
    assert whole.everybody["n"][5] == 11
    # So near that each sample is one's own place.
    near = overview.look_at(recording, 1000, 2000, 500)
    assert near.faces[0]["t"] == list(range(1000, 2000, 100))
    assert near.faces[0]["p"]["happy"] == pytest.approx([i / 10 for i in range(10)], abs=1e-3)
    assert overview.look_at(make(alice, []), 0, 10, 5).faces == []


def test_later_answers_count(alice: User) -> None:
    recording = make(alice, [(100, 1, 0.9)], 10)
    for start_ms, label in ((0, "sad"), (500, "neutral")):
        answers.add(recording.pk, alice, 1, start_ms, 1000, label)
    given = answers.of(recording)
    times = answers.AnswerTimes(given)
    assert [times.at(1, time) for time in (0, 499, 500, 999, 1000)] == [
        "sad", "sad", "neutral", "neutral", "none",
    ]  # fmt: skip
    assert times.at(2, 100) == "none"
