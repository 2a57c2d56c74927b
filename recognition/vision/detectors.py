"""The detector of a name: the one place that knows all of them."""

from __future__ import annotations

from recognition.vision.detection import DetectorName, FaceDetector
from recognition.vision.haar_detector import HaarDetector
from recognition.vision.proposing import ProposingDetector


def make_detector(name: DetectorName, *, num_threads: int = 1) -> FaceDetector:
    """The detector of a name, loaded.

    Args:
        name: which.
        num_threads: threads of one look of BlazeFace.

    Raises:
        ModelError: one of its files is missing.
    """
    if name == DetectorName.HAAR:
        return HaarDetector()
    return ProposingDetector(num_threads=num_threads, with_haar=name == DetectorName.BOTH)
