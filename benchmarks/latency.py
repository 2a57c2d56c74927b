"""One face, from its box to probabilities, beside the way of the demo that this site grew from.

Ours: crop, standardisation and LiteRT with two threads, as for a face of an upload; once with the
mirror images and once without, weighed by how many faces of validation need it. The demo's: Keras
``predict`` of VGG16 at 96×96 pixels in colour, on TensorFlow with all cores. All in one run,
taking turns, so that what else the machine does falls on each.
``python -m benchmarks.latency`` writes the medians beside the model.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from PIL import Image

from benchmarks.original import N_LABELS, SIDE
from recognition.training.wanted import LATENCY_FILE
from recognition.vision.manifest import read_manifest
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.types import BoundingBox
from tests.support.pictures import astronaut
from tests.support.report import machine

ROOT = Path(__file__).resolve().parents[1]
#: Where the face of the portrait is found.
FACE = BoundingBox(177, 66, 96, 96)
THREADS = 2
#: Turns, and how often each way runs in one: about as long, and often enough that the median is
#: not of the run that finds the caches as the other way left them.
TURNS = 40
OURS_A_TURN = 20
DEMO_A_TURN = 5
WARM_UP = 5


def ours(
    portrait: Image.Image, manifest: Path, *, mirror: bool, threads: int = THREADS
) -> Callable[[], object]:
    """Our way as a function to time, with the face taken for a doubtful one or for a clear one."""
    recognizer = EmotionRecognizer(manifest, num_threads=threads)
    below = 1.01 if mirror else 0.0
    recognizer.classifier.manifest = replace(recognizer.manifest, mirror_below=below)
    image_gray = np.asarray(portrait.convert("L"))
    return lambda: recognizer.classify(image_gray, [FACE])


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
    manifest = read_manifest(options.manifest)
    clear, doubtful = (ours(portrait, options.manifest, mirror=mirror) for mirror in (False, True))
    alone = ours(portrait, options.manifest, mirror=False, threads=1)
    for _ in range(WARM_UP):
        clear()
        doubtful()
        alone()
        classify_demo()
    taken_clear: list[float] = []
    taken_doubtful: list[float] = []
    taken_alone: list[float] = []
    taken_demo: list[float] = []
    for _ in range(options.turns):
        taken_clear += [milliseconds(clear) for _ in range(OURS_A_TURN)]
        taken_doubtful += [milliseconds(doubtful) for _ in range(OURS_A_TURN)]
        taken_alone += [milliseconds(alone) for _ in range(OURS_A_TURN)]
        taken_demo += [milliseconds(classify_demo) for _ in range(DEMO_A_TURN)]
    one_view, all_views, other = median(taken_clear), median(taken_doubtful), median(taken_demo)
    share = manifest.content["shown"]["mirror_share"]
    one = one_view + share * (all_views - one_view)
    found = {
        "model_version": manifest.version,
        "milliseconds": round(one, 3),
        "one_view_milliseconds": round(one_view, 3),
        "all_views_milliseconds": round(all_views, 3),
        "all_views_share": share,
        "one_core_milliseconds": round(median(taken_alone), 3),
        "keras_milliseconds": round(other, 3),
        "times_as_fast": round(other / one, 2),
        "threads": THREADS,
        "machine": about,
    }
    json_path = options.json_path or options.manifest.parent / LATENCY_FILE
    json_path.write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(
        f"{about['processor']}, {about['cores']} cores, load {about['load_before']}\n"
        f"one face: {one:.2f} ms ({one_view:.2f} ms, and {all_views:.2f} ms for the {share:.0%} "
        f"with their mirror images; {median(taken_alone):.2f} ms for one view on one core); "
        f"Keras predict at {SIDE}×{SIDE}: {other:.1f} ms; "
        f"{other / one:.1f} × as fast\n"
    )


if __name__ == "__main__":
    main()
