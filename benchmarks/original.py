"""How the demo that this site grew from labels a frame, to compare with.

The default cascade at full size, then one call of Keras's ``predict`` a face, at 96×96 pixels.
Run as a program in a process of its own, so that TensorFlow's threads and memory disturb nothing:
``python -m benchmarks.original FOLDER`` prints JSON about the JPEG files in a folder.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

SIDE = 96
N_LABELS = 4


def measure(frames: list[bytes]) -> dict[str, Any]:
    """Label all frames.

    Args:
        frames: the bytes of JPEG files; the first one only warms up.

    Returns:
        Frames a second, the median milliseconds of one frame, and faces found.

    Raises:
        ImportError: TensorFlow is not installed.
    """
    import keras

    # Weights do not change the time, so they may be random.
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIDE, SIDE, 3))
    head = keras.layers.Dense(N_LABELS, activation="softmax")
    network = keras.Sequential([base, keras.layers.Flatten(), head])
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    seconds: list[float] = []
    n_faces = 0
    for frame in frames:
        began = time.perf_counter()
        image_bgr = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)
        image_gray = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        for x, y, width, height in cascade.detectMultiScale(image_gray, 1.1, 5):
            face_bgr = cv2.resize(image_bgr[y : y + height, x : x + width], (SIDE, SIDE))
            batch = np.array([face_bgr], np.float32) / 255.0
            network.predict(batch, verbose=0)
            n_faces += 1
        seconds.append(time.perf_counter() - began)
    measured = seconds[1:]
    return {
        "frames_per_second": len(measured) / sum(measured),
        "median_milliseconds": median(measured) * 1000,
        "n_faces": n_faces,
    }


if __name__ == "__main__":
    files = sorted(Path(sys.argv[1]).glob("*.jpg"))
    try:
        sys.stdout.write(json.dumps(measure([file.read_bytes() for file in files])))
    except ImportError as error:
        sys.exit(f"not installed: {error.name}")
