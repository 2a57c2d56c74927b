"""The recognizer without a site round it: what a whole site's rate is compared with."""

from __future__ import annotations

import time
from pathlib import Path

from recognition.vision.recognizer import EmotionRecognizer


def bare(photo: bytes, n_photos: int, manifest: Path) -> float:
    """Photos a second of a plain loop over the recognizer, with two threads."""
    recognizer = EmotionRecognizer(manifest, num_threads=2)
    recognizer.recognize(photo)
    start = time.perf_counter()
    for _ in range(n_photos):
        recognizer.recognize(photo)
    return n_photos / (time.perf_counter() - start)
