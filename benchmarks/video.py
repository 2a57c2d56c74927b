"""What a video costs: core seconds and memory for 720p with one face, and beside a peer.

Both processes are counted: the one that decodes, and the one that looks. One thread, as in the
site's own workers. `--peer-python` names a Python that has ``fer``: it looks at the same frames of
the same film, after us in the same run. `--hours` takes a film of that length instead, and tells
the memory of both processes through all of it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.film import RATE

ROOT = Path(__file__).resolve().parent.parent
#: Seconds of film that are encoded where it is longer; the rest repeats them.
ENCODED_SECONDS = 60
#: Parts of a long film of which each has its memory told.
PARTS = 12


@dataclass
class Memory:
    """The most that each process had, in MB, for each part of the film."""

    decoding: list[float] = field(default_factory=lambda: [0.0] * PARTS)
    looking: list[float] = field(default_factory=lambda: [0.0] * PARTS)

    def note(self, part: int, child: psutil.Process, own: psutil.Process) -> None:
        part = min(part, PARTS - 1)
        for process, told in ((child, self.decoding), (own, self.looking)):
            told[part] = max(told[part], process.memory_info().rss / 2**20)


def measure(path: Path, seconds: float, frames_per_second: int) -> tuple[dict[str, float], Memory]:
    """Look at a film of so many seconds as a worker does."""
    from django.conf import settings

    from recognition.vision.live import WORKING_SIDE, LiveRecognizer, LiveState
    from recognition.vision.recognizer import EmotionRecognizer
    from recognition.vision.video.order import Order
    from recognition.vision.video.reader import VideoReader
    from recognition.vision.watching import watch

    live = LiveRecognizer(EmotionRecognizer(settings.MODEL_MANIFEST, num_threads=1))
    order = Order(
        frames_per_second=frames_per_second,
        longest_side=WORKING_SIDE,
        maximum_ms=round(seconds * 1000) + 60_000,
    )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    before = used.ru_utime + used.ru_stime
    begun, started = time.process_time(), time.perf_counter()
    n_frames = n_with_face = 0
    memory, own = Memory(), psutil.Process()
    with VideoReader(path, order) as video:
        child = psutil.Process(video.pid)
        for watched in watch(video, live, LiveState()):
            n_with_face += bool(watched.seen.faces)
            if n_frames % 50 == 0:
                memory.note(int(watched.time_ms / 1000 / seconds * PARTS), child, own)
            n_frames += 1
    looking = time.process_time() - begun
    wall = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "samples": float(n_frames),
        "samples with a face": float(n_with_face),
        "decoding, core s": used.ru_utime + used.ru_stime - before,
        "looking, core s": looking,
        "wall s": wall,
        "memory of decoding, MB": max(memory.decoding),
        "memory of looking, MB": max(memory.looking),
    }, memory


def beside(python: Path, film: Path, frames_per_second: int) -> dict[str, float]:
    """What ``fer`` takes for the same frames.

    Raises:
        SystemExit: it does not run there.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "peer.json"
        script = Path(__file__).with_name("video_peer.py")
        frequency = str(max(1, RATE // frames_per_second))
        arguments = [str(python), str(script), str(film), frequency, str(result)]
        quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        ran = subprocess.run(arguments, env=quiet, cwd=folder, capture_output=True, text=True)
        if ran.returncode:
            sys.exit(f"the peer ended with {ran.returncode}: {ran.stderr[-2000:]}")
        figures: dict[str, float] = json.loads(result.read_text())
    return {f"fer: {name}": figure for name, figure in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="of video")
    parser.add_argument("--hours", type=float, help="of video, in place of --seconds")
    parser.add_argument("--fps", type=int, choices=range(1, 31), default=10, metavar="1-30",
                        help="frames of each second that are looked at")  # fmt: skip
    parser.add_argument("--peer-python", type=Path, help="a Python that has fer")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    arguments = parser.parse_args()
    seconds = round(arguments.hours * 3600) if arguments.hours else arguments.seconds
    encoded = min(seconds, ENCODED_SECONDS)
    times = max(1, seconds // encoded)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            DATA_DIR=folder, DEBUG="true", DJANGO_SETTINGS_MODULE="emotion_site.settings"
        )
        film = Path(folder) / "film.mp4"
        making = [sys.executable, "-m", "tests.support.film", str(film), str(encoded), str(times)]
        subprocess.run(making, cwd=ROOT, check=True)
        figures, memory = measure(film, encoded * times, arguments.fps)
        core = figures["decoding, core s"] + figures["looking, core s"]
        figures["ten minutes of 720p, core s"] = core * 600 / (encoded * times)
        if arguments.peer_python:
            figures |= beside(arguments.peer_python, film, arguments.fps)
            figures["as fast as fer, by the clock, ×"] = figures["fer: wall s"] / figures["wall s"]
            figures["as fast as fer, by core seconds, ×"] = figures["fer: core s"] / core
    for name, figure in figures.items():
        sys.stdout.write(f"{name:<36} {figure:10.1f}\n")
    told: dict[str, object] = dict(figures)
    if arguments.hours:
        told["memory over time, MB"] = {
            "decoding": memory.decoding, "looking": memory.looking
        }  # fmt: skip
        sys.stdout.write(f"\nmost memory in each of {PARTS} parts, MB: decoding, looking\n")
        for number, pair in enumerate(zip(memory.decoding, memory.looking, strict=True), 1):
            sys.stdout.write("{:>4} {:10.1f} {:10.1f}\n".format(number, *pair))
    if arguments.json:
        arguments.json.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
