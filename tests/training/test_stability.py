"""How often a label holds when the box changes a little."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from recognition.training.stability import JITTERS, label_stability
from tests.support.pictures import ASTRONAUT_FACE, astronaut


class Stub:
    """Calls a crop 1 if `rule` holds for it, else 0."""

    def __init__(self, rule):
        self.manifest = SimpleNamespace(input_size=48, crop_margin=0.05)
        self._rule = rule

    def classify(self, crops):
        return np.eye(2, dtype=np.float32)[[int(self._rule(i, c)) for i, c in enumerate(crops)]]


@pytest.fixture(scope="module")
def faces():
    """The portrait as the data set would crop it, and a picture without a face."""
    left, top, right, bottom = ASTRONAUT_FACE
    face = astronaut().convert("L").crop((left - 5, top - 5, right + 5, bottom + 5))
    return np.stack([np.asarray(face.resize((48, 48))), np.full((48, 48), 99, np.uint8)])


def test_a_label_that_holds(faces):
    found = label_stability(Stub(lambda i, crop: True), faces)
    assert (found["n"], found["n_images"], found["share"]) == (1, 2, 1.0)
    assert found["between_detectors"] == {"n": 1, "share": 1.0}
    assert found["jitters"] == dict.fromkeys(JITTERS, 1.0)


def test_labels_that_change_are_counted_by_the_change(faces):
    changed = 1 + list(JITTERS).index("left")
    found = label_stability(Stub(lambda i, crop: i == changed), faces)
    assert found["share"] == pytest.approx(1 - 1 / len(JITTERS), abs=1e-6)
    assert found["jitters"] == {**dict.fromkeys(JITTERS, 1.0), "left": 0.0}


def test_labels_that_change_between_the_detectors_frames_are_counted(faces):
    found = label_stability(Stub(lambda i, crop: i > len(JITTERS)), faces)
    assert found["share"] == 1.0
    assert found["between_detectors"] == {"n": 1, "share": 0.0}


def test_the_crops_differ_as_the_boxes_do(faces):
    crops = []
    label_stability(Stub(lambda i, crop: crops.append(crop) or True), faces)
    assert len({crop.tobytes() for crop in crops}) == 2 + len(JITTERS)


def test_no_face_found_is_no_stability(faces):
    found = label_stability(Stub(lambda i, crop: True), faces[1:])
    assert (found["n"], found["share"]) == (0, 0.0)
