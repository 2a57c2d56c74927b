"""What ``fer``'s class for videos takes for a film: a program for a Python that has ``fer``.

``python video_peer.py FILM FREQUENCY RESULT`` looks at every so-many-th frame and writes JSON. It
needs nothing but ``fer``; its own cascade finds the faces, as by default.
"""

from __future__ import annotations

import inspect
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main(film: Path, frequency: int) -> dict[str, Any]:
    from fer.classes import Video  # type: ignore[import-not-found]
    from fer.fer import FER  # type: ignore[import-not-found]

    detector = FER()
    wanted = {
        "display": False, "output": "csv", "frequency": frequency, "save_frames": False,
        "save_video": False, "annotate_frames": False, "zip_images": False,
    }  # fmt: skip
    # Versions differ in what can be switched off.
    known = inspect.signature(Video.analyze).parameters
    # What it takes to load and to look for the first time is not counted.
    video = Video(str(film))
    began, started = _core_seconds(), time.perf_counter()
    found = video.analyze(detector, **{name: wanted[name] for name in wanted if name in known})
    wall, core = time.perf_counter() - started, _core_seconds() - began
    return {
        "wall s": wall,
        "core s": core,
        "frames with a face": sum(map(_has_face, found)),
        "frames": len(found),
        "memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _has_face(frame: Any) -> bool:
    if isinstance(frame, dict):
        return any(key.startswith("box") for key in frame)
    return bool(frame)


def _core_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    path, result = Path(sys.argv[1]).resolve(), Path(sys.argv[3]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # It writes beside itself.
        try:
            figures = main(path, int(sys.argv[2]))
        except ImportError as error:
            sys.exit(f"not installed there: {error.name}")
    result.write_text(json.dumps(figures))
