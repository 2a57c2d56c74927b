"""The whole recogniser on photos by class, without a real one."""

from __future__ import annotations

import io
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from recognition.training.dataset import DatasetError
from recognition.training.wild import evaluate_wild
from recognition.vision.types import BoundingBox, Face

LABELS = ("happy", "sad", "surprise", "neutral", "other")
SMALL, LARGE = BoundingBox(0, 0, 20, 20), BoundingBox(0, 0, 40, 40)


def face(label, confidence, box=LARGE, labels=LABELS):
    rest = (1 - confidence) / (len(labels) - 1)
    probabilities = {name: confidence if name == label else rest for name in labels}
    return Face(box, probabilities, uncertain=confidence < 0.5)


class Recognizer:
    """Finds what it is told to, by the width of the picture."""

    def __init__(self, faces, labels=LABELS):
        self.manifest = SimpleNamespace(labels=labels)
        self._faces = faces

    def recognize(self, data):
        with Image.open(io.BytesIO(data)) as image:
            return SimpleNamespace(faces=self._faces[image.width - 1])


@pytest.fixture
def photos(tmp_path):
    def make(*folders):
        path = tmp_path / "photos.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for i, folder in enumerate(folders):
                buffer = io.BytesIO()
                Image.fromarray(np.zeros((1, i + 1), np.uint8)).save(buffer, "PNG")
                archive.writestr(f"{folder}/{i}.png", buffer.getvalue())
        return path

    return make


def test_the_largest_face_of_each_photo_counts(photos):
    path = photos("happy", "neutral", "anger", "anger", "angry", "contempt", "sad")
    recognizer = Recognizer(
        [
            (face("sad", 0.9, SMALL), face("happy", 0.9)),
            (face("sad", 0.6),),
            (face("other", 0.9),),
            (face("sad", 0.4),),
            (face("sad", 0.9),),
            (face("other", 0.9),),
            (),
        ]
    )

    wild = evaluate_wild(recognizer, path)

    assert (wild["n"], wild["found"]) == (7, 6)
    assert wild["happy_and_neutral"]["accuracy"] == 0.5
    assert wild["angry_admitted"] == {
        "n": 3,
        "share": 0.5,
        "accuracy": pytest.approx(2 / 3, abs=1e-6),
    }
    assert wild["accuracy"] == 0.5
    assert wild["classes"]["anger"]["labels"] == dict(zip(LABELS, (0, 1, 0, 0, 1), strict=True))
    assert wild["classes"]["anger"]["uncertain"] == 1
    assert wild["classes"]["sad"] == {
        "n": 1,
        "found": 0,
        "labels": dict.fromkeys(LABELS, 0),
        "uncertain": 0,
    }


def test_a_model_without_other_is_measured_by_the_rest(photos):
    recognizer = Recognizer(
        [(face("happy", 0.9, labels=LABELS[:4]),), (face("sad", 0.9, labels=LABELS[:4]),)],
        LABELS[:4],
    )
    wild = evaluate_wild(recognizer, photos("happy", "anger"))
    assert wild["accuracy"] == 1.0
    assert wild["angry_admitted"]["accuracy"] == 0.0


def test_unknown_classes_and_empty_folders_are_refused(photos, tmp_path):
    with pytest.raises(DatasetError, match="'bored'"):
        evaluate_wild(Recognizer([()]), photos("bored"))
    with pytest.raises(DatasetError, match="no photos"):
        evaluate_wild(Recognizer([]), tmp_path)
