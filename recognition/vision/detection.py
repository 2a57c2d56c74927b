"""Face detection with a Haar cascade (Viola and Jones 2001; Lienhart and Maydt 2002)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision.cascades import load_cascade
from recognition.vision.types import BoundingBox

CASCADE = "haarcascade_frontalface_alt2.xml"


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
