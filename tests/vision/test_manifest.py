"""Manifests of both formats, and how classes become labels."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from recognition.vision.classification import as_labels
from recognition.vision.errors import ModelError
from recognition.vision.manifest import read_manifest

LABELS = ["happy", "sad", "surprise", "neutral", "other"]
CLASSES = {"happiness": "happy", "sadness": "sad", "surprise": "surprise", "neutral": "neutral"}
UNNAMED = {"anger": "other", "contempt": "other"}


@pytest.fixture
def written(tmp_path):
    def write(**changes):
        (tmp_path / "model.tflite").write_bytes(b"a model")
        content = {
            "format": 3,
            "version": "v",
            "artefact": {
                "file": "model.tflite",
                "sha256": hashlib.sha256(b"a model").hexdigest(),
            },
            "labels": LABELS,
            "input": {"size": 48, "crop_margin": 0.05},
            "heads": {"consensus": {"temperature": 2.0, "classes": {**CLASSES, **UNNAMED}}},
            "shown": {
                "weights": {"consensus": 1.0},
                "temperature": 1.0,
                "mirror_below": 0.5,
                "uncertain_below": 0.5,
            },
            **changes,
        }
        path = tmp_path / "model.json"
        path.write_text(json.dumps(content))
        return path

    return write


def test_the_manifest_says_which_label_each_class_is_shown_as(written):
    manifest = read_manifest(written())
    assert manifest.labels == tuple(LABELS)
    (head,) = manifest.heads.values()
    assert head.temperature == 2.0
    assert list(head.classes) == [*CLASSES, *UNNAMED]

    probabilities = np.array([[0.1, 0.2, 0.05, 0.05, 0.4, 0.2]], np.float32)
    shown = as_labels(probabilities, head, manifest.labels)
    assert shown == pytest.approx(np.array([[0.1, 0.2, 0.05, 0.05, 0.6]]))


def test_a_manifest_of_four_labels_is_read_as_before(written):
    path = written(format=2, labels=LABELS[:4], heads={"consensus": {"temperature": 1.5}})
    manifest = read_manifest(path)
    (head,) = manifest.heads.values()
    assert (head.temperature, tuple(head.classes)) == (1.5, manifest.labels)
    probabilities = np.array([[0.1, 0.2, 0.3, 0.4]], np.float32)
    assert np.array_equal(as_labels(probabilities, head, manifest.labels), probabilities)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"format": 4}, "format 4, not 3"),
        ({"heads": {"consensus": {"temperature": 1.0}}}, "lacks 'classes'"),
        ({"labels": LABELS[:4]}, "the labels other, which it does not name"),
    ],
)
def test_manifests_that_do_not_fit_are_refused(written, changes, problem):
    with pytest.raises(ModelError, match=problem):
        read_manifest(written(**changes))
