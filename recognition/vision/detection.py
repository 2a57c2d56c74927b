"""What finds faces: one seam, three ways behind it.

``both`` is the default: BlazeFace proposes, the Haar cascade confirms and frames. ``haar`` is the
way that this product began with, and ``blazeface`` does without a cascade; both are there to be
compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recognition.vision.types import MAXIMUM_FACES, BoundingBox, FoundBy, Rejection


class DetectorName(StrEnum):
    """The ways to find faces, as ``DETECTOR`` names them."""

    BOTH = "both"
    BLAZEFACE = "blazeface"
    HAAR = "haar"


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face, or a spot that looked like one; see :class:`~recognition.vision.types.Face`.

    Attributes:
        box: in pixels of the image; it may reach over its border.
        found_by: which detector sees a face here; None where a known face was followed without
            asking both again.
        roll: by how much it is turned clockwise, in degrees; the box encloses it upright.
        rejected: why it is not counted as a face; None for a face.
    """

    box: BoundingBox
    found_by: FoundBy | None
    roll: float = 0.0
    rejected: Rejection | None = None


class FaceDetector(Protocol):
    """Finds faces. Not thread-safe: use one a thread."""

    def detect(self, image_gray: NDArray[np.uint8]) -> list[FoundFace]:
        """Search a photo thoroughly.

        Args:
            image_gray: uint8 ``(height, width)``.

        Returns:
            Faces and rejected spots, each from left to right; empty where there is nothing. Of
            more than :data:`~recognition.vision.types.MAXIMUM_FACES` faces, the large ones.
        """

    def glance(
        self,
        image_gray: NDArray[np.uint8],
        known: Sequence[BoundingBox],
        *,
        thorough: bool = True,
        at_most: int = MAXIMUM_FACES,
        turn: int = 0,
    ) -> list[FoundFace]:
        """Search one frame of a video quickly.

        Args:
            image_gray: uint8 ``(height, width)``.
            known: where faces were a moment ago, in pixels of `image_gray`; a face there needs
                less proof.
            thorough: false where small faces that are new may wait for the next glance, as long
                as every known one is seen.
            at_most: faces that are wanted, the large ones; what is smaller than so many known ones
                need not be looked at.
            turn: how many thorough glances there have been: where more may be new than one looks
                at, it tells which come first.

        Returns:
            Faces alone, in any order.
        """


def is_new(box: BoundingBox, others: Sequence[BoundingBox]) -> bool:
    """Whether a box shows a face that none of the others shows: no middle lies in another box."""
    return not any(_has_center(box, other) or _has_center(other, box) for other in others)


def _has_center(box: BoundingBox, other: BoundingBox) -> bool:
    """Whether the middle of `other` lies in `box`."""
    x, y = other.x + other.width / 2, other.y + other.height / 2
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height
