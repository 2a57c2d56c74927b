"""One face, from its box to probabilities, beside the way of the demo that this site grew from.

Ours: crop, mirror image, standardisation and LiteRT with two threads, as for a face of an upload.
The demo's: Keras ``predict`` of VGG16 at 96×96 pixels in colour, on TensorFlow with all cores. Both
in one run, taking turns, so that what else the machine does falls on both.
``python -m benchmarks.latency`` writes the medians beside the model.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from PIL import Image

from benchmarks.original import N_LABELS, SIDE
from benchmarks.report import machine
from recognition.training.wanted import LATENCY_FILE
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.types import BoundingBox
from tests.pictures import astronaut

ROOT = Path(__file__).resolve().parents[1]
#: Where the face of the portrait is found.
FACE = BoundingBox(177, 66, 96, 96)
THREADS = 2
#: Turns; each times our way so many times and the demo's once.
TURNS = 60
OURS_A_TURN = 5
WARM_UP = 5


def ours(portrait: Image.Image, manifest: Path) -> tuple[Callable[[], object], str]:
    """Our way as a function to time, and the model's version."""
    recognizer = EmotionRecognizer(manifest, num_threads=THREADS)
    image_gray = np.asarray(portrait.convert("L"))
    return lambda: recognizer.classify(image_gray, [FACE]), recognizer.manifest.version


def demo(portrait: Image.Image) -> Callable[[], object]:
    """The demo's way as a function to time.

    Raises:
        ImportError: TensorFlow is not installed.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    # Weights do not change the time, so they may be random.
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIDE, SIDE, 3))
    head = keras.layers.Dense(N_LABELS, activation="softmax")
    network = keras.Sequential([base, keras.layers.Flatten(), head])
    image_bgr = np.asarray(portrait.convert("RGB"))[:, :, ::-1]

    def classify() -> object:
        face_bgr = image_bgr[FACE.y : FACE.y + FACE.height, FACE.x : FACE.x + FACE.width]
        batch = np.array([cv2.resize(face_bgr, (SIDE, SIDE))], np.float32) / 255.0
        return network.predict(batch, verbose=0)

    return classify


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--manifest", type=Path, default=ROOT / "models" / "emotion_vgg16.json")
    parser.add_argument(
        "--json", type=Path, dest="json_path", help=f"default: {LATENCY_FILE} beside the manifest"
    )
    options = parser.parse_args()
    about = machine()
    portrait = astronaut()
    try:
        classify_demo = demo(portrait)
    except ImportError as error:
        sys.exit(f"{error.name} is not installed: pip install -r requirements/train.txt")
    classify_ours, version = ours(portrait, options.manifest)
    for _ in range(WARM_UP):
        classify_ours()
        classify_demo()
    taken_ours: list[float] = []
    taken_demo: list[float] = []
    for _ in range(options.turns):
        taken_ours += [milliseconds(classify_ours) for _ in range(OURS_A_TURN)]
        taken_demo.append(milliseconds(classify_demo))
    one, other = median(taken_ours), median(taken_demo)
    found = {
        "model_version": version,
        "milliseconds": round(one, 3),
        "keras_milliseconds": round(other, 3),
        "times_as_fast": round(other / one, 2),
        "threads": THREADS,
        "machine": about,
    }
    json_path = options.json_path or options.manifest.parent / LATENCY_FILE
    json_path.write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(
        f"{about['processor']}, {about['cores']} cores, load {about['load_before']}\n"
        f"one face: {one:.2f} ms; Keras predict at {SIDE}×{SIDE}: {other:.1f} ms; "
        f"{other / one:.1f} × as fast\n"
    )


if __name__ == "__main__":
    main()
