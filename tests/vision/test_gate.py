"""What the detector proposes is looked at again: faces pass, the rest is kept with a reason."""

from __future__ import annotations

import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from recognition.models import Prediction
from recognition.vision.gate import FaceGate
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.types import BoundingBox, Rejection
from recognition.wording import REJECTION_TEXTS
from tests.support.pictures import astronaut, false_face_jpeg, meadow

FACE = BoundingBox(177, 66, 97, 97)


@pytest.fixture(scope="module")
def gate() -> FaceGate:
    return FaceGate()


def gray(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image.convert("L"))


@pytest.mark.parametrize("side", [36, 48, 64, 97, 150])
def test_a_face_in_a_textured_place_passes(gate: FaceGate, side: int) -> None:
    head = astronaut().crop((125, 20, 325, 220))
    scale = side / FACE.width
    head = head.resize((round(200 * scale),) * 2, Image.Resampling.LANCZOS)
    scene = meadow().copy()
    scene.paste(head, (90, 70))
    box = BoundingBox(90 + round(52 * scale), 70 + round(46 * scale), side, side)
    assert gate.reject(gray(scene), box) is None


@pytest.mark.parametrize("off", [-0.1, 0.1])
@pytest.mark.parametrize("larger", [0.9, 1.1])
def test_a_box_that_is_a_little_off_passes(gate: FaceGate, off: float, larger: float) -> None:
    side = round(97 * larger)
    corner = round(97 * off - (side - 97) / 2)
    box = BoundingBox(177 + corner, 66 + corner, side, side)
    assert gate.reject(gray(astronaut()), box) is None


def test_a_face_that_fills_the_photo_passes(gate: FaceGate) -> None:
    cut = astronaut().crop((FACE.x, FACE.y, FACE.x + 97, FACE.y + 97))
    assert gate.reject(gray(cut), BoundingBox(0, 0, 97, 97)) is None


def test_each_reason_has_its_case(gate: FaceGate) -> None:
    faint = astronaut().convert("L").point(lambda level: 100 + level * 0.05)
    soft = astronaut().filter(ImageFilter.GaussianBlur(12))
    assert gate.reject(gray(astronaut()), BoundingBox(200, 90, 20, 20)) == Rejection.TOO_SMALL
    assert gate.reject(gray(faint), FACE) == Rejection.FLAT
    assert gate.reject(gray(soft), FACE) == Rejection.BLURRED
    assert gate.reject(gray(meadow()), FACE) == Rejection.NOT_CONFIRMED


@pytest.mark.parametrize(("offset", "gain"), [(0, 0.3), (120, 0.4)])
def test_light_does_not_matter(gate: FaceGate, offset: int, gain: float) -> None:
    lit = astronaut().convert("L").point(lambda level: offset + level * gain)
    assert gate.reject(gray(lit), FACE) is None


def test_a_mirrored_face_passes(gate: FaceGate) -> None:
    mirrored = BoundingBox(512 - FACE.x - FACE.width, FACE.y, FACE.width, FACE.height)
    assert gate.reject(gray(ImageOps.mirror(astronaut())), mirrored) is None


def test_a_rejected_spot_is_kept_beside_the_faces() -> None:
    recognition = EmotionRecognizer(settings.MODEL_MANIFEST).recognize(false_face_jpeg())
    assert recognition.faces == ()
    (spot,) = recognition.rejected
    assert spot.rejected == Rejection.NOT_CONFIRMED
    assert 0 <= spot.box.x < spot.box.x + spot.box.width <= recognition.width


def test_every_reason_can_be_said_on_pages() -> None:
    assert set(REJECTION_TEXTS) == {*Rejection, Prediction.DRAWN}
