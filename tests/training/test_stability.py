"""How often a label holds when the box changes a little."""

from __future__ import annotations

import numpy as np
import pytest

from recognition.training.stability import JITTERS, label_stability
from tests.support.pictures import ASTRONAUT_FACE, astronaut


class Stub:
    """Calls a face 1 if `rule` holds for its number and box, else 0."""

    def __init__(self, rule):
        self._rule = rule

    def classify_faces(self, image_gray, boxes, rolls):
        assert len(boxes) == len(rolls)
        return np.eye(2, dtype=np.float32)[[int(self._rule(i, box)) for i, box in enumerate(boxes)]]


@pytest.fixture(scope="module")
def faces():
    """The portrait as the data set would crop it, and a picture without a face."""
    left, top, right, bottom = ASTRONAUT_FACE
    face = astronaut().convert("L").crop((left - 5, top - 5, right + 5, bottom + 5))
    return np.stack([np.asarray(face.resize((48, 48))), np.full((48, 48), 99, np.uint8)])


def test_a_label_that_holds(faces):
    found = label_stability(Stub(lambda i, box: True), faces)
    assert (found["n"], found["n_images"], found["share"]) == (1, 2, 1.0)
    assert found["between_detectors"] == {"n": 1, "share": 1.0}
    assert found["jitters"] == dict.fromkeys(JITTERS, 1.0)


def test_labels_that_change_are_counted_by_the_change(faces):
    changed = 1 + list(JITTERS).index("left")
    found = label_stability(Stub(lambda i, box: i == changed), faces)
    assert found["share"] == pytest.approx(1 - 1 / len(JITTERS), abs=1e-6)
    assert found["jitters"] == {**dict.fromkeys(JITTERS, 1.0), "left": 0.0}


def test_labels_that_change_between_the_detectors_frames_are_counted(faces):
    found = label_stability(Stub(lambda i, box: i > len(JITTERS)), faces)
    assert found["share"] == 1.0
    assert found["between_detectors"] == {"n": 1, "share": 0.0}


def test_each_change_is_another_box(faces):
    boxes = []
    label_stability(Stub(lambda i, box: boxes.append(box) or True), faces)
    assert len(set(boxes)) == len(boxes) == 2 + len(JITTERS)


def test_no_face_found_is_no_stability(faces):
    found = label_stability(Stub(lambda i, box: True), faces[1:])
    assert (found["n"], found["share"]) == (0, 0.0)
