"""Whether a label holds when the detector frames the face a little otherwise."""

from __future__ import annotations

from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision.classification import EmotionClassifier
from recognition.vision.haar import HaarCascade, HaarSettings
from recognition.vision.preprocessing import crop_face
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


class Stability(TypedDict):
    """Shares of the labels that stay, in all and by the change of the box.

    `n` faces were found by the detector in `n_images` images.
    """

    n: int
    n_images: int
    share: float
    jitters: dict[str, float]


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
    detector = HaarCascade()
    size, margin = classifier.manifest.input_size, classifier.manifest.crop_margin
    changes = [(1.0, 0.0, 0.0), *JITTERS.values()]
    labels = []
    for image in images[chosen]:
        canvas = _on_canvas(image)
        box = _face_in_the_middle(detector, canvas)
        if box is None:
            continue
        crops = [crop_face(canvas, _changed(box, *change), size, margin) for change in changes]
        labels.append(classifier.classify(np.stack(crops)).argmax(axis=1))
    found = np.array(labels).reshape(-1, len(changes))
    same = found[:, 1:] == found[:, :1]
    return {
        "n": len(found),
        "n_images": len(chosen),
        "share": round(float(same.mean()), 6) if len(found) else 0.0,
        "jitters": {
            name: round(float(same[:, i].mean()), 6) if len(found) else 0.0
            for i, name in enumerate(JITTERS)
        },
    }


def _on_canvas(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    large = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(large, _BORDER, _BORDER, _BORDER, _BORDER, cv2.BORDER_REPLICATE)


def _face_in_the_middle(detector: HaarCascade, canvas: NDArray[np.uint8]) -> BoundingBox | None:
    middle = canvas.shape[0] / 2
    return max(
        (
            box
            for box in detector.scan(canvas, HaarSettings())
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
