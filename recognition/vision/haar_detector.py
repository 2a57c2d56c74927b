"""Faces found by the Haar cascade alone: the way that this product began with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.vision.detection import FoundFace
from recognition.vision.gate import FaceGate
from recognition.vision.haar import HaarCascade, HaarSettings
from recognition.vision.types import MAXIMUM_FACES, BoundingBox, FoundBy

PHOTO = HaarSettings()
#: A frame is searched at half of the usual 640 pixels, for faces of at least a twelfth of its
#: width: 18 ms instead of 137 ms at full size (and the false faces of the full size are gone).
FRAME = HaarSettings(longest_side=320, scale_factor=1.2, minimum_face=28)


class HaarDetector:
    """Upright frontal faces, confirmed by the gate. Not thread-safe: use one a thread."""

    def __init__(self) -> None:
        """Load the cascades.

        Raises:
            ModelError: one is missing from OpenCV.
        """
        self._cascade = HaarCascade()
        self._gate = FaceGate()

    def detect(self, image_gray: NDArray[np.uint8]) -> list[FoundFace]:
        """See :meth:`FaceDetector.detect`."""
        boxes = self._cascade.scan(image_gray, PHOTO)
        largest = sorted(boxes, key=lambda box: -box.width)[:MAXIMUM_FACES]
        found = [
            FoundFace(box, FoundBy.HAAR, rejected=self._gate.reject(image_gray, box))
            for box in boxes
            if box in largest
        ]
        return sorted(found, key=lambda face: face.rejected is not None)

    def glance(
        self,
        image_gray: NDArray[np.uint8],
        known: Sequence[BoundingBox],
        *,
        thorough: bool = True,
        at_most: int = MAXIMUM_FACES,
        turn: int = 0,
    ) -> list[FoundFace]:
        """See :meth:`FaceDetector.glance`; every frame is searched alike, whatever is known."""
        boxes = self._cascade.scan(image_gray, FRAME)
        return [FoundFace(box, FoundBy.HAAR) for box in boxes]
