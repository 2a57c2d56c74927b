"""Face detection with a Haar cascade (Viola and Jones 2001; Lienhart and Maydt 2002)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision.cascades import load_cascade
from recognition.vision.preprocessing import crop_face, enclosing_box
from recognition.vision.types import BoundingBox, enclosing_ratio

CASCADE = "haarcascade_frontalface_alt2.xml"

#: Near a box, the face is scaled to this many pixels: at 40 the frames come out 12 % too large, at
#: 48 4 %, at 60 2 % for twice the time.
_NEAR_FACE = 48
#: It is looked for within this share of its side beyond the box, as far as it may be off.
_NEAR_REACH = 0.3
_NEAR_SCALE_FACTOR = 1.1
_NEAR_NEIGHBORS = 3
_NEAR_SMALLEST, _NEAR_LARGEST = round(_NEAR_FACE * 0.7), round(_NEAR_FACE * 1.45)


@dataclass(frozen=True)
class HaarSettings:
    """How an image is searched.

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


class HaarCascade:
    """Finds frontal faces. Not thread-safe: use one a thread."""

    def __init__(self) -> None:
        """Load the cascade.

        Raises:
            ModelError: it is missing from OpenCV.
        """
        self._cascade = load_cascade(CASCADE)

    def scan(self, image_gray: NDArray[np.uint8], settings: HaarSettings) -> list[BoundingBox]:
        """Search a whole image for upright faces.

        Args:
            image_gray: uint8 ``(height, width)``.
            settings: how thoroughly.

        Returns:
            Boxes in pixels of `image_gray`, from left to right; empty where there is no face.
        """
        height, width = image_gray.shape
        scale = min(1.0, settings.longest_side / max(height, width))
        reduced = image_gray
        if scale < 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            reduced = cv2.resize(image_gray, size, interpolation=cv2.INTER_AREA)
        found = self._cascade.detectMultiScale(
            reduced,
            scaleFactor=settings.scale_factor,
            minNeighbors=settings.minimum_neighbors,
            minSize=(settings.minimum_face, settings.minimum_face),
        )
        boxes = []
        for box in found:
            x, y, box_width, box_height = (round(float(value) / scale) for value in box)
            # Rounding may push a box at the border over it.
            boxes.append(BoundingBox(x, y, min(box_width, width - x), min(box_height, height - y)))
        return sorted(boxes, key=lambda box: (box.x, box.y))

    def near(
        self, image_gray: NDArray[np.uint8], box: BoundingBox, roll: float = 0.0
    ) -> BoundingBox | None:
        """Look for one face whose place, size and roll are known roughly.

        It takes 1 to 2 ms, about a hundredth of a scan.

        Args:
            image_gray: uint8 ``(height, width)``.
            box: where the face should be, in pixels of `image_gray`.
            roll: by how much it is turned clockwise, in degrees, as for `crop_face`.

        Returns:
            The face nearest to the middle of the box, in pixels of `image_gray` and with the same
            roll; None where it is not there.
        """
        side = round(_NEAR_FACE * (1 + 2 * _NEAR_REACH))
        patch = crop_face(image_gray, box, side, _NEAR_REACH, roll)
        found = self._cascade.detectMultiScale(
            patch,
            scaleFactor=_NEAR_SCALE_FACTOR,
            minNeighbors=_NEAR_NEIGHBORS,
            minSize=(_NEAR_SMALLEST, _NEAR_SMALLEST),
            maxSize=(_NEAR_LARGEST, _NEAR_LARGEST),
        )
        offsets = [
            (float(x) + size / 2.0 - side / 2.0, float(y) + size / 2.0 - side / 2.0, float(size))
            for x, y, size, _height in found
        ]
        if not offsets:
            return None
        right, down, size = min(offsets, key=lambda offset: math.hypot(offset[0], offset[1]))
        scale = max(box.width, box.height) / enclosing_ratio(roll) / _NEAR_FACE
        angle = math.radians(roll)
        x = box.x + box.width / 2.0 + scale * (right * math.cos(angle) - down * math.sin(angle))
        y = box.y + box.height / 2.0 + scale * (right * math.sin(angle) + down * math.cos(angle))
        return enclosing_box((x, y), size * scale, roll)
