"""What a video costs: core seconds and memory for a minute of 720p with one face.

Both processes are counted: the one that decodes, and the one that looks. One thread, as in the
site's own workers.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.support.videos import make, picture

SIZE, RATE = (1280, 720), 30


def write_film(path: Path, seconds: int) -> None:
    """A face that moves; pictures repeat after six seconds, which coding them does not notice."""
    base = [picture(index / 10, SIZE) for index in range(60)]
    frames = (base[index // 3 % 60] for index in range(seconds * RATE))
    path.write_bytes(make(frames, rate=RATE, preset="veryfast"))


def measure(path: Path) -> dict[str, float]:
    from django.conf import settings

    from recognition.vision.live import WORKING_SIDE, LiveRecognizer, LiveState
    from recognition.vision.recognizer import EmotionRecognizer
    from recognition.vision.video.order import Order
    from recognition.vision.video.reader import VideoReader
    from recognition.vision.watching import watch

    live = LiveRecognizer(EmotionRecognizer(settings.MODEL_MANIFEST, num_threads=1))
    begun, started = time.process_time(), time.perf_counter()
    n_frames, memory = 0, 0
    with VideoReader(path, Order(longest_side=WORKING_SIDE)) as video:
        child = psutil.Process(video.pid)
        for _watched in watch(video, live, LiveState()):
            n_frames += 1
            if n_frames % 50 == 0:
                memory = max(memory, child.memory_info().rss)
    looking = time.process_time() - begun
    wall = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "samples": float(n_frames),
        "decoding, core s": used.ru_utime + used.ru_stime,
        "looking, core s": looking,
        "wall s": wall,
        "memory of decoding, MB": memory / 2**20,
        "memory of looking, MB": psutil.Process().memory_info().rss / 2**20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="of video")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            DATA_DIR=folder, DEBUG="true", DJANGO_SETTINGS_MODULE="emotion_site.settings"
        )
        film = Path(folder) / "film.mp4"
        write_film(film, arguments.seconds)
        figures = measure(film)
    core = figures["decoding, core s"] + figures["looking, core s"]
    figures["ten minutes of 720p, core s"] = core * 600 / arguments.seconds
    for name, figure in figures.items():
        sys.stdout.write(f"{name:<32} {figure:10.1f}\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
