"""Whether a label holds when the detector frames the face a little otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision.classification import EmotionClassifier
from recognition.vision.detection import DetectorName
from recognition.vision.detectors import make_detector
from recognition.vision.haar import HaarCascade, HaarSettings
from recognition.vision.types import BoundingBox

#: Images that are tried, so that an evaluation does not take twice the time for this alone.
IMAGES = 2000
#: Changes of the box: its side as a multiple, shifts to the right and down as shares of the side.
JITTERS = {
    "larger": (1.1, 0.0, 0.0),
    "smaller": (0.9, 0.0, 0.0),
    "right": (1.0, 0.1, 0.0),
    "left": (1.0, -0.1, 0.0),
    "down": (1.0, 0.0, 0.1),
    "up": (1.0, 0.0, -0.1),
}

#: The data set's crops are too small for the detector and leave it no room: they are enlarged
#: and put on a canvas that repeats their edge.
_SIDE, _BORDER = 144, 60
#: The detected face must lie in the middle of the canvas, give or take so many pixels.
_OFF_CENTER = 32


class FrameStability(TypedDict):
    """Of `n` faces that both detectors find, the share with the same label in either's frame."""

    n: int
    share: float


class Stability(TypedDict):
    """Shares of the labels that stay, in all and by the change of the box.

    `n` faces were found by the cascade in `n_images` images.
    """

    n: int
    n_images: int
    share: float
    jitters: dict[str, float]
    between_detectors: FrameStability


def label_stability(
    classifier: EmotionClassifier, images: NDArray[np.uint8], *, seed: int = 0
) -> Stability:
    """Find faces as the site does and label each again with its box changed.

    Args:
        classifier: as it serves.
        images: uint8 ``(n, 48, 48)``; at most :data:`IMAGES` of them are tried.
        seed: decides which.
    """
    chosen = np.random.default_rng(seed).permutation(len(images))[:IMAGES]
    cascade, blazeface = HaarCascade(), make_detector(DetectorName.BLAZEFACE)
    changes = [(1.0, 0.0, 0.0), *JITTERS.values()]
    labels, framed = [], []
    for image in images[chosen]:
        canvas = _on_canvas(image)
        box = _in_the_middle(cascade.scan(canvas, HaarSettings()), canvas)
        if box is None:
            continue
        boxes, rolls = [_changed(box, *change) for change in changes], [0.0] * len(changes)
        found = {face.box: face for face in blazeface.detect(canvas) if face.rejected is None}
        other = _in_the_middle(list(found), canvas)
        if other is not None:
            boxes.append(other)
            rolls.append(found[other].roll)
        answers = classifier.classify_faces(canvas, boxes, rolls).argmax(axis=1)
        labels.append(answers[: len(changes)])
        if other is not None:
            framed.append(answers[0] == answers[-1])
    answered = np.array(labels).reshape(-1, len(changes))
    same = answered[:, 1:] == answered[:, :1]
    return {
        "n": len(answered),
        "n_images": len(chosen),
        "share": round(float(same.mean()), 6) if len(answered) else 0.0,
        "jitters": {
            name: round(float(same[:, i].mean()), 6) if len(answered) else 0.0
            for i, name in enumerate(JITTERS)
        },
        "between_detectors": {
            "n": len(framed),
            "share": round(float(np.mean(framed)), 6) if framed else 0.0,
        },
    }


def _on_canvas(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    large = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(large, _BORDER, _BORDER, _BORDER, _BORDER, cv2.BORDER_REPLICATE)


def _in_the_middle(boxes: Sequence[BoundingBox], canvas: NDArray[np.uint8]) -> BoundingBox | None:
    """The largest box round the middle of the canvas."""
    middle = canvas.shape[0] / 2
    return max(
        (
            box
            for box in boxes
            if abs(box.x + box.width / 2 - middle) < _OFF_CENTER
            and abs(box.y + box.height / 2 - middle) < _OFF_CENTER
        ),
        key=lambda box: box.width,
        default=None,
    )


def _changed(box: BoundingBox, scale: float, right: float, down: float) -> BoundingBox:
    side = round(box.width * scale)
    x = box.x + box.width / 2 + right * box.width - side / 2
    y = box.y + box.height / 2 + down * box.height - side / 2
    return BoundingBox(round(x), round(y), side, side)
