"""From bytes to labelled faces, with the model that ships."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image

from recognition.vision.classification import mixed
from recognition.vision.detection import DetectorName
from recognition.vision.errors import ModelError
from recognition.vision.images import decode_gray
from recognition.vision.manifest import read_manifest
from recognition.vision.preprocessing import crop_face, standardize
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.types import BoundingBox, Face
from tests.support import clip
from tests.support.pictures import (
    ASTRONAUT_FACE,
    astronaut,
    encode,
    face_jpeg,
    no_face_jpeg,
    two_faces_jpeg,
)


def face_at(faces: tuple[Face, ...], x: float, y: float) -> Face:
    """The one face whose box's middle part covers a point, whatever else was found."""
    (found,) = [
        face
        for face in faces
        if abs(face.box.x + face.box.width / 2 - x) < face.box.width / 8
        and abs(face.box.y + face.box.height / 2 - y) < face.box.height / 8
    ]
    return found


def test_a_smiling_face_is_found_and_called_happy(recognizer: EmotionRecognizer) -> None:
    recognition = recognizer.recognize(face_jpeg())
    assert (recognition.width, recognition.height) == (512, 512)
    (face,) = recognition.faces
    left, top, right, bottom = ASTRONAUT_FACE
    assert left <= face.box.x < face.box.x + face.box.width <= right
    assert top <= face.box.y < face.box.y + face.box.height <= bottom
    assert face.label == "happy"
    assert face.confidence == max(face.probabilities.values()) > 0.7
    assert sum(face.probabilities.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("threshold", "uncertain"), [(0.5, False), (0.9999, True)])
def test_a_face_below_the_manifests_confidence_is_uncertain(
    copied_model: Path, threshold: float, uncertain: bool
) -> None:
    content = json.loads(copied_model.read_text())
    content["shown"]["uncertain_below"] = threshold
    copied_model.write_text(json.dumps(content))
    (face,) = EmotionRecognizer(copied_model).recognize(face_jpeg()).faces
    assert face.uncertain is uncertain
    assert face.uncertain == (face.confidence < threshold)
    assert face.label == "happy"


def test_faces_are_cut_out_with_the_manifests_margin(recognizer: EmotionRecognizer) -> None:
    """As in training, and as an explanation shows them."""
    gray, _size = decode_gray(face_jpeg(), longest_side=1024)
    box, manifest = BoundingBox(177, 66, 97, 97), recognizer.manifest
    crop = crop_face(gray, box, manifest.input_size, manifest.crop_margin)
    (row,) = recognizer.classifier.classify(crop[np.newaxis])
    (found,) = recognizer.classify(gray, [box])
    assert list(found.values()) == pytest.approx(list(row), abs=1e-6)
    _explanation, shown = recognizer.explain(face_jpeg(), box, "happy")
    assert np.array_equal(shown, crop_face(gray, box, len(shown), manifest.crop_margin))


@pytest.mark.parametrize("margins", [None, [0.2], [-0.05, 0.15]])
def test_the_mirror_image_of_a_doubtful_face_is_read_in_other_frames(
    copied_model: Path, margins: list[float] | None
) -> None:
    content = json.loads(copied_model.read_text())
    content["shown"]["mirror_below"] = 1.01
    content["input"].pop("second_margins", None)
    if margins is not None:
        content["input"]["second_margins"] = margins
    copied_model.write_text(json.dumps(content))
    recognizer = EmotionRecognizer(copied_model)
    manifest, classifier = recognizer.manifest, recognizer.classifier
    gray, _size = decode_gray(face_jpeg(), longest_side=1024)
    box, other = BoundingBox(177, 66, 97, 97), BoundingBox(100, 300, 150, 150)

    def heads(margin: float, *, mirrored: bool) -> dict[str, NDArray[np.float32]]:
        crops = np.stack(
            [crop_face(gray, one, manifest.input_size, margin) for one in (box, other)]
        )
        return classifier.head_probabilities(crops[:, :, ::-1] if mirrored else crops, mirror=False)

    others = margins or [manifest.crop_margin]
    views = [
        heads(manifest.crop_margin, mirrored=False),
        *(heads(margin, mirrored=True) for margin in others),
    ]
    mean = {name: sum(view[name] for view in views) / len(views) for name in views[0]}
    found = recognizer.classify(gray, [box, other])
    expected = mixed(mean, manifest.shown)
    assert np.array([list(face.values()) for face in found]) == pytest.approx(expected, abs=1e-5)
    # And where one view is wanted, as on the live page, it stays one.
    found = recognizer.classify(gray, [box, other], mirror=False)
    expected = mixed(views[0], manifest.shown)
    assert np.array([list(face.values()) for face in found]) == pytest.approx(expected, abs=1e-5)


def test_a_manifest_without_a_threshold_is_told(copied_model: Path) -> None:
    content = json.loads(copied_model.read_text())
    del content["shown"]["uncertain_below"]
    copied_model.write_text(json.dumps(content))
    with pytest.raises(ModelError, match="uncertain_below"):
        EmotionRecognizer(copied_model)


def test_no_face_is_an_empty_result(recognizer: EmotionRecognizer) -> None:
    assert recognizer.recognize(no_face_jpeg()).faces == ()


def test_a_face_that_only_the_network_sees_is_read_in_three_frames() -> None:
    alone = EmotionRecognizer(settings.MODEL_MANIFEST, detector=DetectorName.BLAZEFACE)

    def read(radius: float) -> tuple[dict[str, float], list[dict[str, float]]]:
        """What is said of the face, and of each of its three frames."""
        photo = clip.jpeg_frame(clip.without_smile(clip.astronaut(), radius), seconds=1.0)
        (face,) = alone.recognize(photo).faces
        gray, _size = decode_gray(photo)
        boxes = [face.box.grown(factor) for factor in (0.9, 1.0, 1.1)]
        return face.probabilities, alone.classify(gray, boxes)

    def mean(views: list[dict[str, float]], label: str) -> float:
        return sum(view[label] for view in views) / len(views)

    def moved(views: list[dict[str, float]]) -> float:
        """By how much the mean is not what the middle frame alone says."""
        return abs(mean(views, "happy") - views[1]["happy"])

    # Where the model is most in two minds, each frame says something else.
    said, views = max(map(read, range(2, 9)), key=lambda found: moved(found[1]))
    assert moved(views) > 0.02
    # Activations are quantised over a batch, so what else is in it moves the last digits.
    assert said == pytest.approx({label: mean(views, label) for label in said}, abs=0.01)


def test_several_faces_come_from_left_to_right(recognizer: EmotionRecognizer) -> None:
    faces = recognizer.recognize(two_faces_jpeg()).faces
    assert [face.box.x for face in faces] == sorted(face.box.x for face in faces)
    first, second = (face_at(faces, x, 115) for x in (225, 798))
    assert first.label == second.label == "happy"


@pytest.mark.parametrize("scale", [0.7, 1.5, 3.0, 6.0])
def test_boxes_are_in_pixels_of_the_photo_at_any_size(
    recognizer: EmotionRecognizer, scale: float
) -> None:
    size = round(512 * scale)
    large = encode(astronaut().resize((size, size), Image.Resampling.BICUBIC))
    recognition = recognizer.recognize(large)
    assert recognition.width == size
    face = face_at(recognition.faces, 225 * scale, 115 * scale)
    assert face.box.width == pytest.approx(97 * scale, rel=0.1)
    assert face.label == "happy"


def test_faces_of_one_photo_do_not_influence_each_other(recognizer: EmotionRecognizer) -> None:
    gray = np.asarray(astronaut().convert("L"))
    face, elsewhere = BoundingBox(177, 66, 96, 96), BoundingBox(300, 300, 100, 100)
    alone = recognizer.classify(gray, [face])[0]
    together = recognizer.classify(gray, [elsewhere, face, elsewhere])[1]
    assert together == pytest.approx(alone, abs=0.02)


def test_standardized_crops_do_not_depend_on_light_and_contrast() -> None:
    gray = np.asarray(astronaut().convert("L"))[60:160, 170:270]
    darker = (gray * 0.4 + 20).astype(np.float32)
    one, other = standardize(np.stack([gray.astype(np.float32), darker]))
    assert one.mean() == pytest.approx(0, abs=1e-4)
    assert one.std() == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_a_flat_crop_is_not_divided_by_nothing() -> None:
    assert not standardize(np.full((1, 48, 48), 90, np.uint8)).any()


@pytest.mark.parametrize("side", [24, 48, 96, 400])
def test_a_crop_shows_its_box_and_nothing_else(side: int) -> None:
    image = np.zeros((500, 500), np.uint8)
    image[60 : 60 + side, 40 : 40 + side] = 200
    crop = crop_face(image, BoundingBox(40, 60, side, side), 48)
    assert crop[1:-1, 1:-1].min() >= 199
    wide = crop_face(image, BoundingBox(40, 60, side, side), 48, margin=0.5)
    assert wide[24, 24] == 200
    assert wide[24, 10] == wide[10, 24] == wide[24, 38] == wide[38, 24] == 0


def test_a_crop_at_the_border_repeats_the_edge() -> None:
    image = np.full((100, 100), 77, np.uint8)
    assert (crop_face(image, BoundingBox(80, 80, 20, 20), 48, margin=0.5) == 77).all()


@pytest.fixture
def copied_model(tmp_path: Path) -> Path:
    manifest = read_manifest(settings.MODEL_MANIFEST)
    shutil.copy(manifest.model_path, tmp_path)
    return Path(shutil.copy(manifest.path, tmp_path))


def test_a_missing_manifest_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        EmotionRecognizer(tmp_path / "nothing.json")


def test_a_missing_model_file_is_told(copied_model: Path) -> None:
    read_manifest(copied_model).model_path.unlink()
    with pytest.raises(ModelError, match="missing"):
        EmotionRecognizer(copied_model)


def test_a_model_that_is_not_the_manifests_is_told(copied_model: Path) -> None:
    model = read_manifest(copied_model).model_path
    model.write_bytes(model.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelError, match="not the one"):
        EmotionRecognizer(copied_model)


@pytest.mark.parametrize("key", ["labels", "input", "heads", "shown", "artefact"])
def test_a_manifest_that_lacks_something_is_told(copied_model: Path, key: str) -> None:
    content = json.loads(copied_model.read_text())
    del content[key]
    copied_model.write_text(json.dumps(content))
    with pytest.raises(ModelError, match=key):
        EmotionRecognizer(copied_model)
