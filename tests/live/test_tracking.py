"""Faces keep their numbers, boxes follow, labels do not flicker and still follow a real change."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.vision.tracking import FaceTracker, TrackingSettings, overlap
from recognition.vision.types import BoundingBox, Face

LABELS = ("happy", "sad", "surprise", "neutral")
RATES = [5, 15, 30]


def face(x: int = 100, y: int = 100, side: int = 80, logits: list[float] | None = None) -> Face:
    powers = np.exp(np.array(logits or [2.0, 0.0, 0.0, 0.0]))
    probabilities = dict(zip(LABELS, map(float, powers / powers.sum()), strict=True))
    return Face(BoundingBox(x, y, side, side), probabilities)


def noisy(logits: NDArray[np.float64], random: np.random.Generator) -> Face:
    return face(logits=list(logits + random.normal(0, 0.6, 4)))


def changes(labels: list[str]) -> int:
    return sum(first != second for first, second in pairwise(labels))


def test_numbers_stay_with_faces_that_move_and_pass_in_any_order() -> None:
    tracker = FaceTracker()
    for step in range(40):
        left = face(x=40 + 5 * step, y=50)
        right = face(x=500 - 5 * step, y=300)
        pair = [left, right] if step % 2 else [right, left]
        one, two = tracker.update(pair, step / 20)
        assert (one.number, two.number) == (1, 2)
        assert abs(one.box.x - left.box.x) < 20
        assert abs(two.box.x - right.box.x) < 20


def test_a_face_missed_for_a_moment_keeps_its_number_and_its_label() -> None:
    tracker = FaceTracker()
    tracker.update([face(), face(x=400)], 0.0)
    assert [shown.number for shown in tracker.update([face(x=400)], 0.3)] == [2]
    shown = tracker.update([face(logits=[0, 0.1, 0, 0]), face(x=400)], 0.6)
    assert [one.number for one in shown] == [1, 2]


def test_a_forgotten_number_is_free_again() -> None:
    tracker = FaceTracker()
    tracker.update([face()], 0.0)
    (elsewhere,) = tracker.update([face(x=400)], 5.0)
    assert elsewhere.number == 1
    assert elsewhere.box.x == 400


def test_two_faces_never_share_a_track() -> None:
    tracker = FaceTracker()
    tracker.update([face()], 0.0)
    shown = tracker.update([face(x=104), face(x=96)], 0.1)
    assert sorted(one.number for one in shown) == [1, 2]


@pytest.mark.parametrize("rate", RATES)
def test_labels_change_at_most_a_third_as_often(rate: int) -> None:
    random = np.random.default_rng(0)
    tracker = FaceTracker()
    raw, shown = [], []
    for index in range(60 * rate):
        seen = noisy(np.array([0.0, 0.6, -2.0, 0.8]), random)
        raw.append(seen.label)
        shown.append(tracker.update([seen], index / rate)[0].label)
    assert changes(raw) > 60
    assert changes(shown) <= changes(raw) / 3


@pytest.mark.parametrize("rate", RATES)
def test_a_real_change_shows_within_half_a_second(rate: int) -> None:
    late = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        tracker = FaceTracker()
        for index in range(6 * rate):
            at = index / rate
            logits = [2.5, 0, -1, 0] if at < 3 else [0, 0, -1, 2.5]
            (shown,) = tracker.update([noisy(np.array(logits), random)], at)
            if at >= 3 and shown.label == "neutral":
                late.append(at - 3)
                break
    assert len(late) == 20
    assert max(late) <= 0.5


def test_time_counts_and_not_frames() -> None:
    few, many = FaceTracker(), FaceTracker()
    for tracker, rate in ((few, 10), (many, 100)):
        tracker.update([face(logits=[4, 0, 0, 0])], 0.0)
        for index in range(1, rate + 1):
            tracker.update([face(logits=[0, 0, 0, 4])], 0.2 * index / rate)
    (few_shown,) = few.update([face(logits=[0, 0, 0, 4])], 0.2)
    (many_shown,) = many.update([face(logits=[0, 0, 0, 4])], 0.2)
    assert few_shown.probabilities == pytest.approx(many_shown.probabilities, abs=1e-6)


def test_doubt_is_about_what_is_shown_and_not_about_one_frame() -> None:
    tracker = FaceTracker()
    for step in range(20):
        tracker.update([face()], step / 20, uncertain_below=0.6)
    (seen,) = tracker.update([face(logits=[0.5, 0.4, 0.0, 0.0])], 1.01, uncertain_below=0.6)
    assert seen.confidence > 0.6
    assert not seen.uncertain
    for step in range(20):
        (seen,) = tracker.update(
            [face(logits=[0.5, 0.4, 0.0, 0.0])], 1.05 + step / 20, uncertain_below=0.6
        )
    assert seen.uncertain
    assert seen.label == "happy"


def test_probabilities_still_sum_to_one() -> None:
    random = np.random.default_rng(1)
    tracker = FaceTracker()
    for index in range(50):
        (shown,) = tracker.update([noisy(np.zeros(4), random)], index / 30)
        assert sum(shown.probabilities.values()) == pytest.approx(1)
        assert shown.confidence == shown.probabilities[shown.label]


def test_a_still_box_is_calm_and_a_moving_one_does_not_lag() -> None:
    random = np.random.default_rng(0)
    tracker = FaceTracker()
    found, shown = [], []
    for index in range(90):
        jitter = [int(value) for value in random.integers(-3, 4, 2)]
        seen = face(x=100 + jitter[0], y=100 + jitter[1])
        found.append(seen.box.x)
        shown.append(tracker.update([seen], index / 30)[0].box.x)
    assert np.std(np.diff(shown)) < np.std(np.diff(found)) / 2
    (jumped,) = tracker.update([face(x=140, y=100)], 3.0)
    assert abs(jumped.box.x - 140) <= 2


def test_time_that_stands_still_or_runs_back_does_no_harm() -> None:
    tracker = FaceTracker(TrackingSettings())
    for now in (1.0, 1.0, 0.5, 1.5):
        (shown,) = tracker.update([face()], now)
        assert shown.number == 1


def test_overlap() -> None:
    assert overlap(BoundingBox(0, 0, 10, 10), BoundingBox(0, 0, 10, 10)) == 1
    assert overlap(BoundingBox(0, 0, 10, 10), BoundingBox(5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert overlap(BoundingBox(0, 0, 10, 10), BoundingBox(10, 0, 10, 10)) == 0


def test_a_face_is_labelled_again_only_after_a_moment() -> None:
    tracker = FaceTracker()
    assert tracker.to_label([face().box], 0.0) == [True]
    tracker.update([face()], 0.0)
    boxes = [face().box, face(x=400).box]
    assert tracker.to_label(boxes, 0.02) == [False, True]
    unlabelled = Face(face().box, {})
    (shown, _new) = tracker.update([unlabelled, face(x=400)], 0.02)
    assert (shown.label, shown.number) == ("happy", 1)
    assert tracker.to_label(boxes, 0.05) == [True, False]


def test_it_is_known_whether_a_face_is_missing() -> None:
    tracker = FaceTracker()
    assert tracker.sees_all
    tracker.update([face(), face(x=400)], 0.0)
    assert tracker.sees_all
    tracker.update([face()], 0.1)
    assert not tracker.sees_all
    tracker.update([], 0.2)
    assert not tracker.sees_all
    tracker.update([face(), face(x=400)], 0.3)
    assert tracker.sees_all


def test_a_face_goes_on_under_a_model_of_other_labels() -> None:
    """Another model may come while it is followed, with a label more or less."""
    more = {"happy": 0.1, "sad": 0.1, "surprise": 0.1, "neutral": 0.1, "other": 0.6}
    tracker = FaceTracker()
    tracker.update([face()], 0.0)
    (five,) = tracker.update([Face(face().box, more)], 0.1)
    assert (five.number, five.label, five.probabilities) == (1, "other", more)
    again = FaceTracker()
    again.restore(tracker.as_saved())
    (four,) = again.update([face()], 0.2)
    assert (four.number, four.label, four.probabilities) == (1, "happy", face().probabilities)


def test_of_many_faces_those_are_labelled_again_whose_label_is_the_oldest() -> None:
    tracker = FaceTracker()
    places = [0, 300, 600, 900]
    boxes = [face(x=x).box for x in places]
    tracker.update([face(x=x) for x in places], 0.0)
    turns = []
    for step in (1, 2, 3):
        wanted = tracker.to_label(boxes, step * 0.2, at_once=2)
        turns.append(wanted)
        seen = zip(boxes, wanted, strict=True)
        faces = [face(x=box.x) if one else Face(box, {}) for box, one in seen]
        tracker.update(faces, step * 0.2)
    assert [sum(turn) for turn in turns] == [2, 2, 2]
    assert turns[0] == [not one for one in turns[1]] == turns[2]
    # A new one cannot wait.
    assert tracker.to_label([*boxes, face(x=1200).box], 1.0, at_once=0) == [False] * 4 + [True]
