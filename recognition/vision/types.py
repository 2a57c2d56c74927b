"""The values that pass between detection, classification and everything that shows results."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

#: Faces of one photo that are looked at. A face takes about 30 ms, and others wait meanwhile.
MAXIMUM_FACES = 100


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """A rectangle in pixels of the upright image; ``x, y`` is its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def as_dict(self) -> dict[str, int]:
        """The box as it is sent and printed."""
        return asdict(self)

    def scaled(self, scale: float) -> BoundingBox:
        """The same place in an image of another size."""
        return BoundingBox(
            round(self.x * scale),
            round(self.y * scale),
            round(self.width * scale),
            round(self.height * scale),
        )

    def grown(self, factor: float) -> BoundingBox:
        """The box with other sides round the same middle."""
        width, height = round(self.width * factor), round(self.height * factor)
        return BoundingBox(
            round(self.x + (self.width - width) / 2.0),
            round(self.y + (self.height - height) / 2.0),
            width,
            height,
        )

    def cut(self, width: int, height: int) -> BoundingBox:
        """The part that lies in an image of a size in pixels; it is at least one pixel large."""
        left, top = min(max(0, self.x), width - 1), min(max(0, self.y), height - 1)
        right = max(left + 1, min(width, self.x + self.width))
        bottom = max(top + 1, min(height, self.y + self.height))
        return BoundingBox(left, top, right - left, bottom - top)


def overlap(first: BoundingBox, second: BoundingBox) -> float:
    """Intersection over union of two boxes, from 0 to 1."""
    width = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    height = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (first.width * first.height + second.width * second.height - shared)


def center_distance(first: BoundingBox, second: BoundingBox) -> float:
    """Between the middles of two boxes, in pixels."""
    across = first.x + first.width / 2 - second.x - second.width / 2
    down = first.y + first.height / 2 - second.y - second.height / 2
    return math.hypot(across, down)


def enclosing_ratio(roll: float) -> float:
    """Side of the upright box round a turned square, as a multiple of the square's side."""
    angle = math.radians(roll)
    return abs(math.cos(angle)) + abs(math.sin(angle))


class Rejection(StrEnum):
    """Why a spot that the detector proposed is not taken for a face."""

    TOO_SMALL = "too_small"
    FLAT = "flat"
    BLURRED = "blurred"
    NOT_CONFIRMED = "not_confirmed"


class FoundBy(StrEnum):
    """Which detector sees a face."""

    BOTH = "both"
    BLAZEFACE = "blazeface"
    HAAR = "haar"


@dataclass(frozen=True, slots=True)
class Face:
    """One detected face and what its expression looks like.

    Attributes:
        box: where the face is, in pixels of the upright image.
        probabilities: label to probability; sums to 1, in the order of the model's labels.
        uncertain: the confidence is below what the model's manifest asks for.
        rejected: why this is not counted as a face; its probabilities are what they would be
            if it were one. None for a face.
        roll: by how much the face is turned clockwise, in degrees from -180 to 180; 0 is upright.
            The box is the upright one that encloses the turned face.
        found_by: which detector sees it; None where that is unknown.
        sharpness: as `recognition.vision.gate.sharpness` measures it; 0 where it was not.
    """

    box: BoundingBox
    probabilities: dict[str, float]
    uncertain: bool = False
    rejected: Rejection | None = None
    roll: float = 0.0
    found_by: FoundBy | None = None
    sharpness: float = 0.0

    @property
    def label(self) -> str:
        """The most probable label."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def confidence(self) -> float:
        """Probability of :attr:`label`, from 0 to 1."""
        return self.probabilities[self.label]


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was found in one image.

    Attributes:
        width: width of the upright image, in pixels.
        height: height of the upright image, in pixels.
        faces: left to right; empty where no face was found.
        rejected: spots that looked like a face at first, left to right.
        seconds: how long each stage took; no part of what was seen.
    """

    width: int
    height: int
    faces: tuple[Face, ...]
    rejected: tuple[Face, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)
