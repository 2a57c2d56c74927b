"""From an image to labelled faces: the one way through, for web, worker and command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.vision.classification import EmotionClassifier
from recognition.vision.detection import FaceDetector
from recognition.vision.gate import FaceGate
from recognition.vision.images import decode_gray
from recognition.vision.manifest import read_manifest
from recognition.vision.preprocessing import crop_face
from recognition.vision.types import BoundingBox, Face, Recognition

#: Photos are decoded no larger than this: twice the size at which faces are looked for, so that
#: the smallest face still fills the classifier's input.
WORKING_SIDE = 2048


class EmotionRecognizer:
    """Detects faces and classifies their expression. Not thread-safe: use one a thread."""

    def __init__(self, manifest_path: Path, *, num_threads: int = 2) -> None:
        """Load the model.

        Args:
            manifest_path: the manifest beside the trained model.
            num_threads: threads of one classification.

        Raises:
            ModelError: the model is missing or does not fit its manifest.
        """
        self.manifest = read_manifest(manifest_path)
        self.detector = FaceDetector()
        self.gate = FaceGate()
        self.classifier = EmotionClassifier(self.manifest, num_threads=num_threads)

    def recognize(self, data: bytes) -> Recognition:
        """Decode an image file, find its faces and label each.

        Args:
            data: bytes of an image file.

        Raises:
            ImageError: the bytes are not an image that we accept.
        """
        image_gray, (width, height) = decode_gray(data, longest_side=WORKING_SIDE)
        boxes = self.detector.detect(image_gray)
        probabilities = self.classify(image_gray, boxes)
        scale = width / image_gray.shape[1]
        found = [
            Face(
                _scaled(box, scale, width, height),
                face_probabilities,
                uncertain=max(face_probabilities.values()) < self.manifest.uncertain_below,
                rejected=self.gate.reject(image_gray, box),
            )
            for box, face_probabilities in zip(boxes, probabilities, strict=True)
        ]
        return Recognition(
            width,
            height,
            faces=tuple(face for face in found if face.rejected is None),
            rejected=tuple(face for face in found if face.rejected is not None),
        )

    def classify(
        self, image_gray: NDArray[np.uint8], boxes: list[BoundingBox]
    ) -> list[dict[str, float]]:
        """Label given faces of one image, all in one batch.

        Args:
            image_gray: uint8 ``(height, width)``.
            boxes: in pixels of `image_gray`.

        Returns:
            For each box, label to probability.
        """
        if not boxes:
            return []
        size, margin = self.manifest.input_size, self.manifest.crop_margin
        crops = np.stack([crop_face(image_gray, box, size, margin) for box in boxes])
        return [
            dict(zip(self.manifest.labels, map(float, row), strict=True))
            for row in self.classifier.classify(crops)
        ]


def _scaled(box: BoundingBox, scale: float, width: int, height: int) -> BoundingBox:
    """A box of the working image in pixels of the full image."""
    x, y = round(box.x * scale), round(box.y * scale)
    return BoundingBox(
        x, y, min(round(box.width * scale), width - x), min(round(box.height * scale), height - y)
    )
