"""Photos that lie on their side and heads rolled aside."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image, ImageFilter

from recognition.vision.preprocessing import crop_face
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.types import BoundingBox, enclosing_ratio
from tests.support.pictures import astronaut, encode, no_face_jpeg, turned_face_png

#: The middle of the portrait's face and of the portrait, in its pixels.
FACE_CENTER, CENTER = (225, 115), (256, 256)


def turned_center(degrees: float, size: tuple[int, int]) -> tuple[float, float]:
    """Where the middle of the face is after turning the portrait clockwise."""
    angle = math.radians(degrees)
    x, y = FACE_CENTER[0] - CENTER[0], FACE_CENTER[1] - CENTER[1]
    return (
        size[0] / 2 + x * math.cos(angle) - y * math.sin(angle),
        size[1] / 2 + x * math.sin(angle) + y * math.cos(angle),
    )


def off(roll: float, degrees: float) -> float:
    """The angle between two rolls, in degrees."""
    return abs((roll - degrees + 180) % 360 - 180)


@pytest.mark.parametrize("degrees", [90, -90, 180, 30, -30])
def test_a_turned_face_is_found_and_read_as_if_upright(
    recognizer: EmotionRecognizer, degrees: int
) -> None:
    recognition = recognizer.recognize(turned_face_png(degrees))
    (face,) = recognition.faces
    assert off(face.roll, degrees) < 10
    assert face.label == "happy"
    x, y = turned_center(degrees, (recognition.width, recognition.height))
    assert face.box.x + face.box.width / 2 == pytest.approx(x, abs=12)
    assert face.box.y + face.box.height / 2 == pytest.approx(y, abs=12)
    assert face.box.width == pytest.approx(97 * enclosing_ratio(degrees), rel=0.2)


@pytest.mark.parametrize("roll", [-165, -105, -60, -35, -25, 25, 35, 45, 75, 120, 150])
def test_any_other_roll_is_found_and_told(recognizer: EmotionRecognizer, roll: int) -> None:
    (face,) = recognizer.recognize(turned_face_png(roll)).faces
    assert off(face.roll, roll) < 15
    assert face.label == "happy"


@pytest.mark.parametrize(
    ("part", "degrees", "blur"), [((75, 0, 375, 265), 140, 1.5), ((165, 55, 285, 175), 90, 1)]
)
def test_of_several_angles_the_best_is_taken(
    recognizer: EmotionRecognizer, part: tuple[int, ...], degrees: int, blur: float
) -> None:
    """Out of focus and turned this far, the face is first taken for one that is hardly rolled."""
    cut = astronaut().crop(part)
    turned = cut.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(120, 120, 120))
    blurred = turned.filter(ImageFilter.GaussianBlur(blur))
    (face,) = recognizer.recognize(encode(blurred, "PNG")).faces
    assert off(face.roll, degrees) < 15


def test_boxes_are_in_pixels_of_a_large_photo(recognizer: EmotionRecognizer) -> None:
    large = astronaut().resize((3072, 3072)).transpose(Image.Transpose.ROTATE_270)
    recognition = recognizer.recognize(encode(large))
    (face,) = recognition.faces
    x, y = turned_center(90, (512, 512))
    assert off(face.roll, 90) < 10
    assert face.box.x + face.box.width / 2 == pytest.approx(6 * x, abs=60)
    assert face.box.y + face.box.height / 2 == pytest.approx(6 * y, abs=60)


@pytest.mark.parametrize("degrees", [-10, 0, 10])
def test_a_face_that_is_hardly_rolled_is_read_as_it_is(
    recognizer: EmotionRecognizer, degrees: int
) -> None:
    (face,) = recognizer.recognize(turned_face_png(degrees)).faces
    assert face.roll == 0


def test_a_box_of_a_turned_face_stays_inside_the_photo(recognizer: EmotionRecognizer) -> None:
    cut = astronaut().crop((150, 40, 330, 220)).rotate(-30, Image.Resampling.BICUBIC)
    for face in recognizer.recognize(encode(cut, "PNG")).faces:
        assert 0 <= face.box.x < face.box.x + face.box.width <= 180
        assert 0 <= face.box.y < face.box.y + face.box.height <= 180


@pytest.mark.parametrize("size", [(24, 24), (24, 2000), (3000, 30)])
def test_photos_too_narrow_for_a_reduced_one_are_no_trouble(
    recognizer: EmotionRecognizer, size: tuple[int, int]
) -> None:
    assert recognizer.recognize(encode(Image.new("RGB", size, "gray"))).faces == ()


def test_a_turned_crop_shows_what_the_upright_one_shows() -> None:
    gray = np.asarray(astronaut().convert("L"))
    box = BoundingBox(177, 66, 97, 97)
    upright = crop_face(gray, box, 48).astype(float)
    for turns, roll in ((1, -90), (2, 180), (3, 90)):
        turned = np.ascontiguousarray(np.rot90(gray, turns))
        x, y = {1: (66, 512 - 274), 2: (512 - 274, 512 - 163), 3: (512 - 163, 177)}[turns]
        crop = crop_face(turned, BoundingBox(x, y, 97, 97), 48, roll=roll)
        assert np.abs(crop - upright).mean() < 1.5


def test_no_face_is_still_an_empty_result(recognizer: EmotionRecognizer) -> None:
    recognition = recognizer.recognize(no_face_jpeg())
    assert (recognition.faces, recognition.rejected) == ((), ())
