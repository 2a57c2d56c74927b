"""Face detection with a Haar cascade (Viola and Jones 2001; Lienhart and Maydt 2002)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision.cascades import load_cascade
from recognition.vision.types import BoundingBox

CASCADE = "haarcascade_frontalface_alt2.xml"

#: A known face is looked for within a share of its side beyond its box: so much at once, so much
#: more for each second since it was there, and at most so much. It takes 1.2 ms within 0.2 and
#: 2 ms within 0.5.
_NEAR_REACH, _NEAR_SPEED, _NEAR_REACH_LIMIT = 0.2, 1.5, 0.5
#: Its size is scaled to this many pixels: at 40 the boxes come out 12 % too large, at 48 7 %, at
#: 60 2 % for twice the time.
_NEAR_FACE = 48
_NEAR_SCALE_FACTOR = 1.1
_NEAR_NEIGHBORS = 3
#: The size of the cascade's window, in pixels.
_SMALLEST_FACE = 20


@dataclass(frozen=True)
class DetectionSettings:
    """How a photo is searched.

    Attributes:
        longest_side: the image is scaled down to this first, in pixels: the time grows with the
            area, and faces smaller than about 3 % of a photo carry no readable expression.
        scale_factor: ratio of two successive search sizes.
        minimum_neighbors: overlapping hits that make a face.
        minimum_face: smallest face looked for, in pixels of the scaled image.
    """

    longest_side: int = 1024
    scale_factor: float = 1.1
    minimum_neighbors: int = 3
    minimum_face: int = 28


class FaceDetector:
    """Finds upright frontal faces. Not thread-safe: use one a thread."""

    def __init__(self, settings: DetectionSettings | None = None) -> None:
        self.settings = settings or DetectionSettings()
        self._cascade = load_cascade(CASCADE)

    def detect(self, image_gray: NDArray[np.uint8]) -> list[BoundingBox]:
        """Find faces.

        Args:
            image_gray: uint8 ``(height, width)``.

        Returns:
            Boxes in pixels of `image_gray`, from left to right; empty where there is no face.
        """
        height, width = image_gray.shape
        scale = min(1.0, self.settings.longest_side / max(height, width))
        reduced = image_gray
        if scale < 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            reduced = cv2.resize(image_gray, size, interpolation=cv2.INTER_AREA)
        found = self._cascade.detectMultiScale(
            reduced,
            scaleFactor=self.settings.scale_factor,
            minNeighbors=self.settings.minimum_neighbors,
            minSize=(self.settings.minimum_face, self.settings.minimum_face),
        )
        boxes = []
        for box in found:
            x, y, box_width, box_height = (round(float(value) / scale) for value in box)
            # Rounding may push a box at the border over it.
            boxes.append(BoundingBox(x, y, min(box_width, width - x), min(box_height, height - y)))
        return sorted(boxes, key=lambda box: (box.x, box.y))

    def detect_near(
        self, image_gray: NDArray[np.uint8], box: BoundingBox, seconds: float
    ) -> BoundingBox | None:
        """Look for one face again, where it was a moment ago and about as large.

        Costs about a tenth of :meth:`detect`, because the place and the size are known.

        Args:
            image_gray: uint8 ``(height, width)``.
            box: where the face was, in pixels of an image of the same size.
            seconds: since it was there; a face may have gone further in more of them.

        Returns:
            The box nearest to the old one, in pixels of `image_gray`; None where it is not there.
        """
        height, width = image_gray.shape
        side = max(box.width, box.height)
        reach = round(side * min(_NEAR_REACH + _NEAR_SPEED * seconds, _NEAR_REACH_LIMIT))
        left, top = max(0, box.x - reach), max(0, box.y - reach)
        right, bottom = min(width, box.x + side + reach), min(height, box.y + side + reach)
        scale = min(1.0, _NEAR_FACE / side)
        size = (round((right - left) * scale), round((bottom - top) * scale))
        smallest = max(_SMALLEST_FACE, round(side * scale * 0.75))
        if min(size) < smallest:
            return None
        patch = cv2.resize(image_gray[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
        largest = round(side * scale * 1.35)
        found = self._cascade.detectMultiScale(
            patch,
            scaleFactor=_NEAR_SCALE_FACTOR,
            minNeighbors=_NEAR_NEIGHBORS,
            minSize=(smallest, smallest),
            maxSize=(largest, largest),
        )
        boxes = []
        for x, y, found_width, found_height in found:
            near_x, near_y = left + round(float(x) / scale), top + round(float(y) / scale)
            near_width = min(round(float(found_width) / scale), width - near_x)
            near_height = min(round(float(found_height) / scale), height - near_y)
            boxes.append(BoundingBox(near_x, near_y, near_width, near_height))
        return min(boxes, key=lambda found: _distance(found, box), default=None)


def _distance(first: BoundingBox, second: BoundingBox) -> float:
    """Between the centres of two boxes, in pixels."""
    across = first.x + first.width / 2 - second.x - second.width / 2
    down = first.y + first.height / 2 - second.y - second.height / 2
    return math.hypot(across, down)
