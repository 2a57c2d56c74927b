"""From an image to labelled faces: the one way through, for web, worker and command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.vision.classification import EmotionClassifier
from recognition.vision.detection import DetectorName, FoundFace
from recognition.vision.detectors import make_detector
from recognition.vision.errors import ModelError
from recognition.vision.explanation import SIDE, Explanation, Frame, explain
from recognition.vision.images import decode_gray
from recognition.vision.manifest import read_manifest
from recognition.vision.preprocessing import crop_face
from recognition.vision.stopwatch import Stopwatch
from recognition.vision.types import BoundingBox, Face, FoundBy, Recognition

#: Photos are decoded no larger than this: twice the size at which faces are looked for, so that
#: the smallest face still fills the classifier's input.
WORKING_SIDE = 2048
#: A face that the cascade does not frame is read in frames of these sizes, and their mean counts.
_FRAMES_ALONE = (0.9, 1.0, 1.1)


class EmotionRecognizer:
    """Detects faces and classifies their expression. Not thread-safe: use one a thread."""

    def __init__(
        self,
        manifest_path: Path,
        *,
        num_threads: int = 2,
        detector: DetectorName = DetectorName.BOTH,
    ) -> None:
        """Load the models.

        Args:
            manifest_path: the manifest beside the trained model.
            num_threads: threads of one classification, and of one look of the face detector.
            detector: what finds the faces.

        Raises:
            ModelError: a model is missing or does not fit its manifest.
        """
        self.manifest = read_manifest(manifest_path)
        self.detector = make_detector(detector, num_threads=num_threads)
        self.classifier = EmotionClassifier(self.manifest, num_threads=num_threads)

    def recognize(self, data: bytes, size: tuple[int, int] | None = None) -> Recognition:
        """Decode an image file, find its faces and label each.

        Args:
            data: bytes of an image file.
            size: width and height of the photo that `data` is a smaller copy of; boxes are in its
                pixels. None where `data` is the photo.

        Raises:
            ImageError: the bytes are not an image that we accept.
        """
        watch = Stopwatch()
        image_gray, own_size = decode_gray(data, longest_side=WORKING_SIDE)
        width, height = size or own_size
        watch.lap("decode")
        found = self.detector.detect(image_gray)
        watch.lap("detect")
        probabilities = self._label(image_gray, found)
        watch.lap("classify")
        scale = width / image_gray.shape[1]
        seen = [
            Face(
                face.box.scaled(scale).cut(width, height),
                face_probabilities,
                uncertain=max(face_probabilities.values()) < self.manifest.uncertain_below,
                rejected=face.rejected,
                roll=face.roll,
                found_by=face.found_by,
            )
            for face, face_probabilities in zip(found, probabilities, strict=True)
        ]
        return Recognition(
            width,
            height,
            faces=tuple(face for face in seen if face.rejected is None),
            rejected=tuple(face for face in seen if face.rejected is not None),
            seconds=watch.seconds,
        )

    def _label(
        self, image_gray: NDArray[np.uint8], found: Sequence[FoundFace]
    ) -> list[dict[str, float]]:
        """For each face, label to probability."""
        views = [
            (index, face.box.grown(factor), face.roll)
            for index, face in enumerate(found)
            for factor in (_FRAMES_ALONE if face.found_by == FoundBy.BLAZEFACE else (1.0,))
        ]
        seen = self.classify(
            image_gray, [box for _, box, _ in views], rolls=[roll for _, _, roll in views]
        )
        grouped: list[list[dict[str, float]]] = [[] for _face in found]
        for (index, _box, _roll), probabilities in zip(views, seen, strict=True):
            grouped[index].append(probabilities)
        return [
            {label: sum(one[label] for one in group) / len(group) for label in group[0]}
            for group in grouped
        ]

    def explain(
        self,
        data: bytes,
        box: BoundingBox,
        label: str,
        *,
        roll: float = 0.0,
        size: tuple[int, int] | None = None,
    ) -> tuple[Explanation, NDArray[np.uint8]]:
        """Find out which parts of a face carried its label.

        Args:
            data: bytes of the image file.
            box: the face, in pixels of the upright image.
            label: the one to explain.
            roll: by how much the face is turned clockwise, in degrees.
            size: as for :meth:`recognize`.

        Returns:
            The explanation, and the face to draw it on: uint8, framed as the classifier saw it.

        Raises:
            ImageError: the bytes are not an image that we accept.
            ModelError: the model does not know the label.
        """
        if label not in self.manifest.labels:
            raise ModelError(f"The model {self.manifest.version} does not know {label!r}.")
        image_gray, own_size = decode_gray(data, longest_side=WORKING_SIDE)
        scale = image_gray.shape[1] / (size or own_size)[0]
        inner = box.scaled(scale)
        size_seen, margin = self.manifest.input_size, self.manifest.crop_margin
        crop = crop_face(image_gray, inner, size_seen, margin, roll)
        others = [
            Frame(
                crop_face(image_gray, inner, size_seen, other, roll),
                (1 + 2 * margin) / (1 + 2 * other),
            )
            for other in self.manifest.second_margins
        ]
        explanation = explain(
            self.classifier.classify, crop, self.manifest.labels.index(label), others
        )
        return explanation, crop_face(image_gray, inner, SIDE, margin, roll)

    def classify(
        self,
        image_gray: NDArray[np.uint8],
        boxes: list[BoundingBox],
        *,
        rolls: list[float] | None = None,
        mirror: bool = True,
    ) -> list[dict[str, float]]:
        """Label given faces of one image, all in one batch.

        Args:
            image_gray: uint8 ``(height, width)``.
            boxes: in pixels of `image_gray`.
            rolls: for each box, by how much its face is turned clockwise, in degrees; all are
                upright by default.
            mirror: false leaves mirror images out, also where the manifest asks for them.

        Returns:
            For each box, label to probability.
        """
        if not boxes:
            return []
        rows = self.classifier.classify_faces(
            image_gray, boxes, rolls or [0.0] * len(boxes), mirror=mirror
        )
        return [dict(zip(self.manifest.labels, map(float, row), strict=True)) for row in rows]
