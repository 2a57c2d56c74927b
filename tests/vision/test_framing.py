"""The label belongs to the face, not to the exact box that the detector drew round it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from PIL import Image

from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.types import BoundingBox
from tests.support.pictures import astronaut

#: The share of jittered boxes that has to keep the label.
STABLE = 0.95


def jittered(box: BoundingBox) -> list[BoundingBox]:
    """The box 10 % smaller and larger, each in place and shifted by 10 % to all sides."""
    boxes = []
    for larger, across, down in product((0.9, 1.0, 1.1), (-0.1, 0.0, 0.1), (-0.1, 0.0, 0.1)):
        side = round(box.width * larger)
        x = box.x + across * box.width + (box.width - side) / 2
        y = box.y + down * box.height + (box.height - side) / 2
        boxes.append(BoundingBox(round(x), round(y), side, side))
    return boxes


@pytest.mark.parametrize("scale", [0.5, 0.75, 1.0, 1.5, 2.0, 4.0])
def test_the_label_stays_when_the_box_moves_or_grows(
    recognizer: EmotionRecognizer, scale: float
) -> None:
    side = round(512 * scale)
    portrait = astronaut().convert("L").resize((side, side), Image.Resampling.BICUBIC)
    image_gray = np.asarray(portrait)
    box = BoundingBox(*(round(length * scale) for length in (177, 66, 97, 97)))
    labels = [
        max(probabilities, key=probabilities.__getitem__)
        for probabilities in recognizer.classify(image_gray, [box, *jittered(box)])
    ]
    kept = sum(label == labels[0] for label in labels[1:]) / len(labels[1:])
    assert labels[0] == "happy"
    assert kept >= STABLE
