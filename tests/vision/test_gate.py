"""What the detector proposes is looked at again: faces pass, the rest is kept with a reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from recognition.models import Prediction
from recognition.vision.gate import STRONG_SUPPORT, SUPPORT_WITH_EYE, FaceGate
from recognition.vision.preprocessing import enclosing_box
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.types import BoundingBox, Rejection
from recognition.wording import REJECTION_TEXTS
from tests.support.pictures import astronaut, false_face_jpeg, meadow

FACE = BoundingBox(177, 66, 97, 97)
#: A picture, and what makes the box for a roll, in degrees.
Spot = tuple[NDArray[np.uint8], Callable[[float], BoundingBox]]


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


def tilted(scale: float, roll: float, right: float, down: float, side: float) -> Spot:
    """The portrait's picture turned clockwise, and a box beside or round its face.

    Args:
        scale: of the picture.
        roll: in degrees.
        right, down: from the middle of the face to that of the box, in sides of the face.
        side: of the box, in sides of the face.
    """
    picture = astronaut().rotate(-roll, Image.Resampling.BICUBIC, center=(225, 115))
    picture = picture.resize((round(512 * scale),) * 2, Image.Resampling.LANCZOS)
    middle = (225.5 + right * 97) * scale, (114.5 + down * 97) * scale
    return gray(picture), lambda told: enclosing_box(middle, 97 * scale * side, told)


def test_between_a_face_and_none_an_eye_decides(gate: FaceGate) -> None:
    """Both spots have some support, and neither has enough to pass by it alone."""
    tilted_face, face = tilted(0.5, 15, 0, 0, 1)
    cheek, beside = tilted(0.5, 0, -0.25, 0.2, 0.8)
    for image, box in ((tilted_face, face(0)), (cheek, beside(0))):
        assert SUPPORT_WITH_EYE <= gate.support(image, box) < STRONG_SUPPORT
    assert gate.reject(tilted_face, face(0)) is None
    assert gate.reject(cheek, beside(0)) == Rejection.NOT_CONFIRMED


def test_the_second_look_is_at_the_mirror_image(gate: FaceGate) -> None:
    """As this tilted face is, the cascade of the first look does not see it once more."""
    image, box = tilted(0.5, 15, 0, 0, 1.25)
    assert gate.reject(image, box(0)) is None


def test_a_rolled_face_passes_by_its_roll_alone(gate: FaceGate) -> None:
    image, box = tilted(0.5, 25, 0, 0, 1)
    assert gate.reject(image, box(25), 25) is None
    assert gate.reject(image, box(0)) == Rejection.NOT_CONFIRMED


def test_the_eye_is_looked_for_in_the_upright_face(gate: FaceGate) -> None:
    """Turned upright there is no eye in this spot; as it is, something looks like one."""
    image, box = tilted(0.7, 25, 0.25, -0.2, 0.8)
    assert SUPPORT_WITH_EYE <= gate.support(image, box(25), 25) < STRONG_SUPPORT
    assert gate.reject(image, box(25), 25) == Rejection.NOT_CONFIRMED


def test_a_rejected_spot_is_kept_beside_the_faces() -> None:
    recognition = EmotionRecognizer(settings.MODEL_MANIFEST).recognize(false_face_jpeg())
    assert recognition.faces == ()
    (spot,) = recognition.rejected
    assert spot.rejected == Rejection.NOT_CONFIRMED
    assert 0 <= spot.box.x < spot.box.x + spot.box.width <= recognition.width


def test_every_reason_can_be_said_on_pages() -> None:
    assert set(REJECTION_TEXTS) == {*Rejection, Prediction.DRAWN}
