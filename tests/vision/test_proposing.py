"""Who finds which face: BlazeFace and the Haar cascade, together and alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageOps

from recognition.vision import proposing
from recognition.vision.detection import DetectorName, FaceDetector, FoundFace, is_new
from recognition.vision.detectors import make_detector
from recognition.vision.types import BoundingBox, FoundBy, overlap
from tests.support.pictures import astronaut, crowd, meadow

FACE = BoundingBox(177, 66, 97, 97)


@pytest.fixture(scope="module")
def detectors() -> dict[DetectorName, FaceDetector]:
    return {name: make_detector(name) for name in DetectorName}


@pytest.fixture(scope="module")
def both(detectors: dict[DetectorName, FaceDetector]) -> FaceDetector:
    return detectors[DetectorName.BOTH]


def gray(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image.convert("L"))


def faces(found: list[FoundFace]) -> list[FoundFace]:
    return [face for face in found if face.rejected is None]


@pytest.mark.parametrize("name", list(DetectorName))
def test_each_way_finds_the_face_in_much_the_same_frame(
    detectors: dict[DetectorName, FaceDetector], name: DetectorName
) -> None:
    (face,) = faces(detectors[name].detect(gray(astronaut())))
    assert face.found_by == FoundBy(name)
    assert face.roll == 0
    assert overlap(face.box, FACE) > 0.7


@pytest.mark.parametrize("margin", [-0.05, 0.0, 0.1])
def test_a_face_that_fills_the_photo_is_found(both: FaceDetector, margin: float) -> None:
    reach = round(97 * margin)
    x, y, side = FACE.x - reach, FACE.y - reach, FACE.width + 2 * reach
    tight = astronaut().crop((x, y, x + side, y + side)).resize((200, 200))
    (face,) = faces(both.detect(gray(tight)))
    expected = BoundingBox(*(round(value * 200 / side) for value in (reach, reach, 97, 97)))
    assert overlap(face.box, expected) > 0.6


def test_a_face_that_is_cut_is_framed_as_the_cascade_does(
    detectors: dict[DetectorName, FaceDetector],
) -> None:
    tight = gray(
        astronaut()
        .crop((FACE.x, FACE.y, FACE.x + FACE.width, FACE.y + FACE.height))
        .resize((200, 200))
    )
    (alone,) = faces(detectors[DetectorName.BLAZEFACE].detect(tight))
    (framed,) = faces(detectors[DetectorName.BOTH].detect(tight))
    assert framed.found_by == FoundBy.BOTH
    assert overlap(alone.box, framed.box) > 0.75


def test_small_faces_of_a_group_are_found(both: FaceDetector) -> None:
    scene = meadow().resize((1600, 1000))
    head = astronaut().crop((125, 20, 325, 220)).resize((150, 150), Image.Resampling.LANCZOS)
    places = [(80 + 290 * column, 150 + 380 * row) for row in range(2) for column in range(5)]
    for place in places:
        scene.paste(head, place)
    found = faces(both.detect(gray(scene)))
    assert len(found) == len(places)
    for x, y in places:
        expected = BoundingBox(x + 39, y + 34, 73, 73)
        assert any(overlap(face.box, expected) > 0.4 for face in found)


@pytest.mark.parametrize("sides", [(90,) * 10, (300, 240, 190, 150, 120, 90, 90, 90, 90, 90)])
def test_people_far_away_are_found(both: FaceDetector, sides: Sequence[int]) -> None:
    """Faces of 44 pixels in 1,600, alone and behind larger ones: most of them, and nothing else."""
    scene = meadow().resize((1600, 1000))
    expected = []
    for number, side in enumerate(sides):
        x, y = 20 + 310 * (number % 5), 120 + 430 * (number // 5)
        head = astronaut().crop((125, 20, 325, 220))
        scene.paste(head.resize((side, side), Image.Resampling.LANCZOS), (x, y))
        scale = side / 200
        face_side = round(97 * scale)
        left, top = round(x + 52 * scale), round(y + 46 * scale)
        expected.append(BoundingBox(left, top, face_side, face_side))
    found = faces(both.detect(gray(scene)))
    assert len(found) >= 8
    for face in found:
        assert any(overlap(face.box, box) > 0.4 for box in expected)


def test_a_small_face_beside_others_is_found_once(both: FaceDetector) -> None:
    scene = meadow().resize((1200, 800))
    for place, side in (((100, 100), 400), ((560, 380), 110)):
        scene.paste(astronaut().crop((125, 20, 325, 220)).resize((side, side)), place)
    found = faces(both.detect(gray(scene)))
    assert len(found) == len({(face.box.x // 60, face.box.y // 60) for face in found})
    assert any(face.box.width > 150 for face in found)


def test_a_rejected_spot_hides_no_face_in_it(both: FaceDetector) -> None:
    scene = Image.fromarray(skimage.data.coffee()).resize((1600, 1000), Image.Resampling.BICUBIC)
    part = astronaut().crop((60, 0, 390, 330)).resize((300, 300), Image.Resampling.BICUBIC)
    scene.paste(part, (300, 50))
    found = both.detect(gray(scene))
    (face,) = faces(found)
    assert overlap(face.box, BoundingBox(406, 110, 88, 88)) > 0.6
    assert found == [face]


PICTURES = (
    *("brick", "cell", "chelsea", "clock", "coffee", "coins", "colorwheel", "gravel", "horse"),
    *("hubble_deep_field", "immunohistochemistry", "logo", "moon", "retina", "rocket", "text"),
)


@pytest.mark.parametrize("picture", PICTURES)
def test_there_is_no_face_where_there_is_none(both: FaceDetector, picture: str) -> None:
    image = Image.fromarray(getattr(skimage.data, picture)())
    assert faces(both.detect(gray(image))) == []
    assert faces(both.detect(gray(image.resize((image.width * 2, image.height * 2))))) == []


def test_haar_alone_is_blind_to_what_lies_on_its_side(
    detectors: dict[DetectorName, FaceDetector],
) -> None:
    lying = gray(astronaut().transpose(Image.Transpose.ROTATE_270))
    assert faces(detectors[DetectorName.HAAR].detect(lying)) == []
    (face,) = faces(detectors[DetectorName.BOTH].detect(lying))
    assert abs(face.roll - 90) < 10


def test_what_the_cascade_does_not_confirm_is_marked(both: FaceDetector) -> None:
    covered = astronaut().copy()
    covered.paste((40, 40, 40), (177, 130, 280, 180))
    for face in faces(both.detect(gray(covered))):
        assert face.found_by == FoundBy.BLAZEFACE


def test_a_known_face_is_followed_and_a_new_one_examined(both: FaceDetector) -> None:
    frame = gray(astronaut())
    (new,) = both.glance(frame, [])
    assert new.found_by == FoundBy.BOTH
    (followed,) = both.glance(frame, [new.box])
    assert (followed.found_by, followed.box) == (None, new.box)


def test_a_glance_sees_faces_alone(both: FaceDetector) -> None:
    assert both.glance(gray(ImageOps.invert(astronaut())), []) == []
    assert both.glance(gray(meadow()), []) == []


class Examined:
    """Counts the spots that a detector looks at closely."""

    def __init__(self, detector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.n, self._examine = 0, detector._examine
        monkeypatch.setattr(detector, "_examine", self)

    def __call__(self, *arguments: Any) -> Any:
        self.n += 1
        return self._examine(*arguments)


def test_a_glance_looks_at_a_few_new_spots_and_the_next_one_at_others(
    both: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody's frames wait for it."""
    portrait = astronaut().crop((120, 10, 330, 220)).resize((128, 128)).convert("L")
    frame = np.tile(gray(portrait), (3, 5))
    examined = Examined(both, monkeypatch)
    known: list[BoundingBox] = []
    for turn in range(5):
        examined.n = 0
        found = both.glance(frame, known, turn=turn)
        assert (len(found), examined.n) == (3 * (turn + 1), 3)
        known = [face.box for face in found]
    # Those that were seen a moment ago cost nothing.
    examined.n = 0
    assert len(both.glance(frame, known)) == 15
    assert examined.n == 0
    # Without knowing them, others have their turn in each frame.
    seen = [face.box for turn in range(5) for face in both.glance(frame, [], turn=turn)]
    assert all(is_new(box, seen[:number]) for number, box in enumerate(seen))


def test_where_enough_faces_are_known_smaller_ones_are_not_looked_at(
    both: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    portrait = astronaut().crop((120, 10, 330, 220))
    frame = Image.new("L", (640, 384), 128)
    for left, side in ((0, 250), (250, 200), (450, 128)):
        frame.paste(portrait.resize((side, side)).convert("L"), (left, 0))
    sizes = sorted((face.box for face in both.glance(gray(frame), [])), key=lambda box: box.width)
    small, middle, large = sizes
    examined = Examined(both, monkeypatch)
    assert len(both.glance(gray(frame), [middle, large], at_most=2)) == 2
    assert examined.n == 0
    assert len(both.glance(gray(frame), [small, middle], at_most=2)) == 3
    assert examined.n == 1


def test_so_many_faces_of_a_photo_are_looked_at(
    both: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = gray(crowd()[0])
    assert len(faces(both.detect(photo))) == 24
    monkeypatch.setattr(proposing, "MAXIMUM_FACES", 7)
    assert len(faces(both.detect(photo))) == 7


def test_so_many_spots_of_a_photo_are_examined(
    both: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposing, "MAXIMUM_SPOTS", 5)
    assert len(both.detect(gray(crowd()[0]))) == 5
