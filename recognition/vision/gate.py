"""Tells faces from what the detector takes for one, and says why.

A cascade proposes some spots that are no faces: hub caps, coins, patterns. Looking again at a
proposed spot is cheap, because its place and size are known, so it can be done with other eyes:
a cascade trained on other examples, the mirror image, and a search for eyes.

Thresholds were chosen on 439 spots that are faces (a portrait at 13 sizes and pasted 120 times
into textures at 36 to 150 pixels; 306 training images of FER-2013 on larger canvases) and 31
that are not (photos and textures without people): 434 faces pass, and 27 of the others are
rejected. On other pictures made in the same way, 307 of 313 faces pass and 31 of 37 others are
rejected; half of those that pass are portraits on coins.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision.cascades import load_cascade
from recognition.vision.preprocessing import crop_face
from recognition.vision.types import BoundingBox, Rejection, enclosing_ratio

#: Trained apart from the detector's cascade: it agrees on faces and seldom on mistakes.
SECOND_CASCADE = "haarcascade_frontalface_alt.xml"
#: What the detector itself used, here on the mirror image, where a mistake rarely repeats.
MIRROR_CASCADE = "haarcascade_frontalface_alt2.xml"
EYE_CASCADE = "haarcascade_eye.xml"

#: Side of a box below which half of the classifier's input would be made up, in pixels.
MINIMUM_SIDE = 24
#: Standard deviation of grey levels; the darkest of the faces measured has 18.
MINIMUM_DEVIATION = 8.0
#: Variance of the Laplacian over that of the grey levels, at the classifier's scale. The
#: smoothest of the faces measured has 0.076, one in a hundred is below 0.1.
MINIMUM_SHARPNESS = 0.06

#: Hits of both cascades together from which a spot is a face, and from which it is one if it has
#: an eye, too. Faces with covered eyes have to pass by the first. With 3 instead of 6, one face
#: in 200 more passes, but so do faces that stand on their head, with a mouth in place of eyes.
STRONG_SUPPORT = 12
SUPPORT_WITH_EYE = 6

#: The box is scaled to this side for the second look, in pixels, with this share of its side
#: around it: what is found may be up to a third smaller or larger than the box.
_FACE_SIDE = 48
_REACH = 0.3
_SMALLEST, _LARGEST = round(_FACE_SIDE * 0.7), round(_FACE_SIDE * 1.45)
#: Eyes are looked for in the upper part of the box, at twice the scale.
_EYE_FACE_SIDE = 96
_EYE_PART = 60
_EYE_SMALLEST, _EYE_LARGEST = 14, 44


class FaceGate:
    """Confirms or rejects proposed faces. Not thread-safe: use one a thread."""

    def __init__(self) -> None:
        """Load the cascades.

        Raises:
            ModelError: one is missing from OpenCV.
        """
        self._second = load_cascade(SECOND_CASCADE)
        self._mirror = load_cascade(MIRROR_CASCADE)
        self._eye = load_cascade(EYE_CASCADE)

    def reject(
        self, image_gray: NDArray[np.uint8], box: BoundingBox, roll: float = 0.0
    ) -> Rejection | None:
        """Look at a proposed face again.

        Args:
            image_gray: uint8 ``(height, width)``.
            box: the proposal, in pixels of `image_gray`.
            roll: by how much it is turned clockwise, in degrees, as for `crop_face`.

        Returns:
            Why it is not taken for a face; None where it is.
        """
        unusable = why_unusable(image_gray, box, roll)
        if unusable is not None:
            return unusable
        support = self.support(image_gray, box, roll)
        if support >= STRONG_SUPPORT:
            return None
        if support >= SUPPORT_WITH_EYE and self._has_eye(image_gray, box, roll):
            return None
        return Rejection.NOT_CONFIRMED

    def support(self, image_gray: NDArray[np.uint8], box: BoundingBox, roll: float = 0.0) -> int:
        """How much a spot looks like a face: mostly above 12 for faces and below 6 for others.

        Counts overlapping hits round the box, of the second cascade and in the mirror image.

        Args:
            image_gray: uint8 ``(height, width)``.
            box: the proposal, in pixels of `image_gray`.
            roll: as for :meth:`reject`.
        """
        patch = crop_face(image_gray, box, round(_FACE_SIDE * (1 + 2 * _REACH)), _REACH, roll)
        mirrored = np.ascontiguousarray(patch[:, ::-1])
        return _hits(self._second, patch) + _hits(self._mirror, mirrored)

    def _has_eye(self, image_gray: NDArray[np.uint8], box: BoundingBox, roll: float) -> bool:
        """Whether there is something like an eye in the upper part of a spot; as for `reject`."""
        whole = crop_face(image_gray, box, _EYE_FACE_SIDE, roll=roll)
        upper = np.ascontiguousarray(whole[:_EYE_PART])
        found = self._eye.detectMultiScale(
            upper,
            scaleFactor=1.1,
            minNeighbors=1,
            minSize=(_EYE_SMALLEST, _EYE_SMALLEST),
            maxSize=(_EYE_LARGEST, _EYE_LARGEST),
        )
        return len(found) > 0


def why_unusable(
    image_gray: NDArray[np.uint8], box: BoundingBox, roll: float = 0.0
) -> Rejection | None:
    """Whether a spot is too small, flat or blurred for an expression to be read; as for `reject`.

    The size is that of the box before it was turned: what the classifier has to read.
    """
    if max(box.width, box.height) / enclosing_ratio(roll) < MINIMUM_SIDE:
        return Rejection.TOO_SMALL
    crop = crop_face(image_gray, box, _FACE_SIDE, roll=roll)
    deviation = float(crop.std())
    if deviation < MINIMUM_DEVIATION:
        return Rejection.FLAT
    if _sharpness(crop, deviation) < MINIMUM_SHARPNESS:
        return Rejection.BLURRED
    return None


def sharpness(image_gray: NDArray[np.uint8], box: BoundingBox, roll: float = 0.0) -> float:
    """How sharp a face is: below :data:`MINIMUM_SHARPNESS` it is too blurred; as for `reject`."""
    crop = crop_face(image_gray, box, _FACE_SIDE, roll=roll)
    return _sharpness(crop, float(crop.std()))


def _sharpness(crop: NDArray[np.uint8], deviation: float) -> float:
    """Of a crop with a standard deviation of grey levels; 0 where it is all one grey."""
    if not deviation:
        return 0.0
    return float(cv2.Laplacian(crop, cv2.CV_32F).var()) / deviation**2


def _hits(cascade: cv2.CascadeClassifier, patch: NDArray[np.uint8]) -> int:
    """Hits of the place where a cascade has most."""
    _boxes, counts = cascade.detectMultiScale2(
        patch,
        scaleFactor=1.1,
        minNeighbors=1,
        minSize=(_SMALLEST, _SMALLEST),
        maxSize=(_LARGEST, _LARGEST),
    )
    return max((int(count) for count in counts), default=0)
