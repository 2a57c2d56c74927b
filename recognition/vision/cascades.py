"""The cascades that come with OpenCV, by file name."""

from __future__ import annotations

from pathlib import Path

import cv2

from recognition.vision.errors import ModelError


def load_cascade(name: str) -> cv2.CascadeClassifier:
    """Load a cascade. Not thread-safe: one for each thread.

    Raises:
        ModelError: OpenCV was installed without it.
    """
    cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / name))
    if cascade.empty():
        raise ModelError(f"The cascade {name} is missing from OpenCV.")
    return cascade
