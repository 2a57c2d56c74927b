"""Faces that are not upright: photos turned by a quarter or a half, and heads rolled aside.

The cascade finds a face rolled by up to about 20 degrees. Where it found none, the photo may lie
on its side, or a head be rolled further. Five more looks at a reduced image cost together less than
the first one: on a portrait of 512 to 1024 pixels all of it takes 1.5 times as long for a photo on
its side, 1.8 times for a rolled head.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision.detection import DetectionSettings, FaceDetector
from recognition.vision.gate import FaceGate
from recognition.vision.preprocessing import enclosing_ratio
from recognition.vision.types import BoundingBox

#: Degrees by which faces may be turned clockwise. Later rounds are for photos where the earlier
#: ones find nothing; within a round the angle counts at which the gate sees most, so that a mistake
#: at one angle does not hide the faces at another.
ROUNDS = ((90.0, -90.0, 180.0), (30.0, -30.0))

#: Longest side of the reduced image as a share of what the upright look searched: the time grows
#: with the square, and five looks may cost no more than that one.
REDUCTION = 0.43
#: But not below this, in pixels: a small photo with one head would lose it, and loading and
#: labelling take most of its time anyway.
SMALLEST_LONGEST_SIDE = 160
#: Coarser steps than upright, for the time; one more hit, because five looks also have five
#: times the opportunity for mistakes.
TURNED_DETECTION = DetectionSettings(scale_factor=1.15, minimum_neighbors=4)


class TurnedFaceFinder:
    """Finds turned faces. Not thread-safe: use one a thread."""

    def __init__(self, gate: FaceGate, upright: DetectionSettings) -> None:
        """Load the cascade.

        Args:
            gate: what has to confirm the faces.
            upright: how the upright look searched.
        """
        self._gate = gate
        self._longest_side = upright.longest_side
        self._detector = FaceDetector(TURNED_DETECTION)

    def find(self, image_gray: NDArray[np.uint8]) -> tuple[float, list[BoundingBox]]:
        """Look for faces at the angle at which they look most like faces.

        Spots that the gate rejects are left out: at a wrong angle they tell nothing.

        Args:
            image_gray: uint8 ``(height, width)``.

        Returns:
            ``(roll, boxes)``: by how much the faces are turned clockwise, in degrees, and the
            upright boxes that enclose them, in pixels of `image_gray`, from left to right;
            ``(0.0, [])`` where there is none.
        """
        height, width = image_gray.shape
        longest = max(height, width)
        wanted = max(REDUCTION * min(longest, self._longest_side), SMALLEST_LONGEST_SIDE)
        scale = min(1.0, wanted / longest)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        reduced = cv2.resize(image_gray, size, interpolation=cv2.INTER_AREA)
        for rolls in ROUNDS:
            found = [self._find_at(image_gray, reduced, roll) for roll in rolls]
            support, roll, boxes = max(found, key=lambda entry: entry[0])
            if support:
                return roll, boxes
        return 0.0, []

    def _find_at(
        self, image_gray: NDArray[np.uint8], reduced: NDArray[np.uint8], roll: float
    ) -> tuple[int, float, list[BoundingBox]]:
        """The faces at one angle, after how much they look like faces in all, and the angle."""
        upright, matrix = _turn_upright(reduced, roll)
        back = cv2.invertAffineTransform(matrix)
        scale = image_gray.shape[1] / reduced.shape[1]
        proposed = [_enclosing(box, back, scale, roll) for box in self._detector.detect(upright)]
        boxes = [box for box in proposed if self._gate.reject(image_gray, box, roll) is None]
        support = sum(self._gate.support(image_gray, box, roll) for box in boxes)
        return support, roll, sorted(boxes, key=lambda box: (box.x, box.y))


def _turn_upright(
    image_gray: NDArray[np.uint8], roll: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Turn an image counter-clockwise by `roll` degrees, with room for all of it.

    Returns:
        The turned image, and the matrix ``(2, 3)`` from the given image's pixels to its own.
    """
    height, width = image_gray.shape
    angle = math.radians(roll)
    cosine, sine = math.cos(angle), math.sin(angle)
    new_width = round(width * abs(cosine) + height * abs(sine))
    new_height = round(width * abs(sine) + height * abs(cosine))
    x, y = (width - 1) / 2.0, (height - 1) / 2.0
    matrix = np.array(
        [
            [cosine, sine, (new_width - 1) / 2.0 - cosine * x - sine * y],
            [-sine, cosine, (new_height - 1) / 2.0 + sine * x - cosine * y],
        ]
    )
    # An even border has no edges of its own that could be taken for a part of a face.
    turned = cv2.warpAffine(
        image_gray,
        matrix,
        (new_width, new_height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=float(image_gray.mean()),
    )
    return turned, matrix


def _enclosing(
    box: BoundingBox, back: NDArray[np.float64], scale: float, roll: float
) -> BoundingBox:
    """The upright box, in pixels of the whole image, round a box of the turned one.

    It may reach over the image's border: cut there, it would no longer be centred on the face.
    """
    center = np.array([box.x + (box.width - 1) / 2.0, box.y + (box.height - 1) / 2.0, 1.0])
    x, y = (back @ center + 0.5) * scale
    side = max(box.width, box.height) * scale * enclosing_ratio(roll)
    return BoundingBox(round(x - side / 2), round(y - side / 2), round(side), round(side))
