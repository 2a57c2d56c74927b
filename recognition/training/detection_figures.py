"""How well a detector finds faces, and how fast."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from recognition.training.detection_set import Picture
from recognition.vision.detection import FaceDetector
from recognition.vision.images import decode_gray
from recognition.vision.recognizer import WORKING_SIDE
from recognition.vision.types import BoundingBox, overlap

#: Intersection over union from which a box found is the face of a box given: what each detector
#: takes for the border of a face differs by a fifth of its side.
SAME_FACE = 0.3


@dataclass
class DetectionFigures:
    """Counts of one detector.

    Attributes:
        pictures: looked at.
        faces: that are there.
        found: of these.
        extra: boxes on pictures with faces where no face is.
        empty: pictures without faces.
        false: faces found on these.
        seconds: of processor time in the detector; other work must not count.
    """

    pictures: int = 0
    faces: int = 0
    found: int = 0
    extra: int = 0
    empty: int = 0
    false: int = 0
    seconds: float = 0.0

    @property
    def recall(self) -> float | None:
        """Share of the faces that are found; None without any."""
        return self.found / self.faces if self.faces else None

    @property
    def precision(self) -> float | None:
        """Share of what is found that is a face; None where nothing is found."""
        claimed = self.found + self.extra + self.false
        return self.found / claimed if claimed else None

    @property
    def milliseconds(self) -> float:
        """A picture, on average."""
        return self.seconds * 1000.0 / max(1, self.pictures)

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            **asdict(self),
            "recall": self.recall,
            "precision": self.precision,
            "milliseconds": self.milliseconds,
        }

    def count(self, picture: Picture, detector: FaceDetector) -> None:
        """Look at one more picture.

        Raises:
            ImageError: it is not an image that we accept.
        """
        image_gray, (width, _height) = decode_gray(picture.data, longest_side=WORKING_SIDE)
        began = time.process_time()
        seen = detector.detect(image_gray)
        self.seconds += time.process_time() - began
        scale = width / image_gray.shape[1]
        boxes = [face.box.scaled(scale) for face in seen if face.rejected is None]
        self.pictures += 1
        if picture.boxes is None:
            self.faces += 1
            self.found += bool(boxes)
            self.extra += max(0, len(boxes) - 1)
        elif picture.boxes:
            matched = matches(picture.boxes, boxes)
            self.faces += len(picture.boxes)
            self.found += matched
            self.extra += len(boxes) - matched
        else:
            self.empty += 1
            self.false += len(boxes)


def matches(given: Iterable[BoundingBox], found: Iterable[BoundingBox]) -> int:
    """How many faces are found, each at most once, the closest first."""
    left_given, left_found = list(given), list(found)
    pairs = sorted(
        ((overlap(one, other), i, j) for i, one in enumerate(left_given)
         for j, other in enumerate(left_found)),
        reverse=True,
    )  # fmt: skip
    used_given: set[int] = set()
    used_found: set[int] = set()
    for share, i, j in pairs:
        if share >= SAME_FACE and i not in used_given and j not in used_found:
            used_given.add(i)
            used_found.add(j)
    return len(used_given)
