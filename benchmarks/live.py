"""The live page as people use it: a real Daphne, real sockets, a clip of a face at 640×480.

Beside the original's way in the same run, and down to what is left over after sockets are cut.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks import live_scenarios as scenarios
from recognition.vision.live import LiveRecognizer
from recognition.vision.recognizer import EmotionRecognizer
from tests.support import clip
from tests.support.live_server import LiveServer
from tests.support.report import Figure, show_figures
from tests.support.site import ROOT
from tests.support.steadiness import steadiness

#: Spread over the whole clip: where no face is, the original is fast, too.
ORIGINAL_FRAMES = 60
CLIENT_RATE = 5.0
FLOOD_RATE = 100.0
#: More clients than this are an aim, not a demand.
CLIENTS_WANTED = 10


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """All figures, one after the other."""
    portrait = clip.astronaut()
    frames = list(clip.jpeg_frames(portrait))
    yield _steadiness(portrait, options.manifest)
    original = _original(frames, options.original_python)
    with tempfile.TemporaryDirectory(prefix="visage-bench-") as folder:
        environment = {"MODEL_MANIFEST": str(options.manifest)}
        with LiveServer(Path(folder), **environment) as server:
            server.with_people(max(10, (max(options.clients) + 1) // 2))
            yield from _one_client(server, frames, options.seconds, original)
            for n_clients in options.clients:
                yield _crowd(server, frames, n_clients, options.seconds)
            yield _flood(server, frames, options.flood_frames)
            yield _churn(server, frames, options.openings)
            yield _endurance(server, frames, options.long_frames)


def _steadiness(portrait: Image.Image, manifest: Path) -> Figure:
    recognizer = LiveRecognizer(EmotionRecognizer(manifest, num_threads=1))
    result = steadiness(recognizer, portrait)
    return Figure(
        "changes of label in 6 s of a wavering face; a real change shows after",
        "a third of unsmoothed; 0.5 s",
        f"{result.changes} instead of {result.changes_unsmoothed}; {result.follows_after:.2f} s",
        result.changes * 3 <= result.changes_unsmoothed and result.follows_after <= 0.5,
        asdict(result),
    )


def _original(frames: Sequence[bytes], python: str) -> dict[str, Any] | str:
    """The figures of the original's way, or why there are none."""
    with tempfile.TemporaryDirectory(prefix="visage-bench-") as folder:
        step = max(1, len(frames) // ORIGINAL_FRAMES)
        for index, frame in enumerate(frames[::step]):
            (Path(folder) / f"{index:03d}.jpg").write_bytes(frame)
        done = subprocess.run(
            [python, "-m", "benchmarks.original", folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        return f"not measured: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}"
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def _one_client(
    server: LiveServer, frames: Sequence[bytes], seconds: float, original: dict[str, Any] | str
) -> Iterator[Figure]:
    cookie = server.cookies[0]
    asyncio.run(scenarios.as_fast_as_answers_come(server, cookie, frames, 100))
    n_frames = max(30, round(seconds * 60))
    trips = asyncio.run(scenarios.as_fast_as_answers_come(server, cookie, frames, n_frames))
    p95 = trips.percentile(0.95)
    yield Figure(
        "one client, two frames in flight: frames/s; p95 round trip",
        "30; 50 ms",
        f"{trips.rate:.0f}; {p95:.0f} ms",
        trips.rate >= 30 and p95 <= 50,
        {"frames_per_second": trips.rate, "p95_milliseconds": p95},
    )
    name, wanted = "the original's way on the same clip: frames/s; we do", "20 ×"
    if isinstance(original, str):
        yield Figure(name, wanted, original, None, {})
        return
    ratio = trips.rate / original["frames_per_second"]
    measured = f"{original['frames_per_second']:.1f}; {ratio:.0f} ×"
    yield Figure(name, wanted, measured, ratio >= 20, {**original, "ratio": ratio})


def _crowd(server: LiveServer, frames: Sequence[bytes], n_clients: int, seconds: float) -> Figure:
    trips, pages = asyncio.run(scenarios.crowd(server, frames, n_clients, CLIENT_RATE, seconds))
    p95, pages_p95 = trips.percentile(0.95), pages.percentile(0.95)
    answered = len(trips.seconds) / (n_clients * CLIENT_RATE * seconds)
    return Figure(
        f"{n_clients} clients at 5 frames/s: p95 round trip; other pages' p95; answered",
        "250 ms; 500 ms" + (" (aim)" if n_clients > CLIENTS_WANTED else ""),
        f"{p95:.0f} ms; {pages_p95:.0f} ms; {answered:.0%}",
        p95 <= 250 and pages_p95 <= 500,
        {"p95_milliseconds": p95, "pages_p95_milliseconds": pages_p95, "answered": answered},
    )


def _flood(server: LiveServer, frames: Sequence[bytes], n_frames: int) -> Figure:
    flood = asyncio.run(scenarios.flood(server, frames, n_frames, FLOOD_RATE))
    others = flood.others.percentile(0.95)
    return Figure(
        f"{n_frames:,} frames at 100 frames/s, answers ignored: memory; oldest label; "
        "p95 of another client",
        "50 MB; 1 s; 250 ms",
        f"{flood.growth:+.0f} MB; {flood.oldest_label:.2f} s; {others:.0f} ms",
        flood.growth <= 50 and flood.oldest_label <= 1 and others <= 250,
        {
            "growth_megabytes": flood.growth,
            "oldest_label_seconds": flood.oldest_label,
            "others_p95_milliseconds": others,
        },
    )


def _churn(server: LiveServer, frames: Sequence[bytes], n_openings: int) -> Figure:
    leaks = asyncio.run(scenarios.churn(server, frames, n_openings))
    return Figure(
        f"{n_openings} sockets opened and cut at random, 20 at a time: threads; files and "
        "sockets; memory left over",
        "none; none",
        f"{leaks.threads:+d}; {leaks.files:+d}; {leaks.memory:+.0f} MB",
        leaks.threads <= 0 and leaks.files <= 0,
        asdict(leaks),
    )


def _endurance(server: LiveServer, frames: Sequence[bytes], n_frames: int) -> Figure:
    growth = asyncio.run(scenarios.endurance(server, frames, n_frames))
    return Figure(
        f"{n_frames:,} frames of one client: memory after the first 1,000",
        "within 5 %",
        f"{growth:+.1%}, to {server.memory():.0f} MB",
        abs(growth) <= 0.05,
        {"growth": growth, "megabytes": server.memory()},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measured stretch")
    parser.add_argument("--clients", type=int, nargs="+", default=[CLIENTS_WANTED, 25])
    parser.add_argument("--flood-frames", type=int, default=1000)
    parser.add_argument("--openings", type=int, default=500)
    parser.add_argument("--long-frames", type=int, default=100_000)
    parser.add_argument("--original-python", default=sys.executable, help="one with TensorFlow")
    parser.add_argument("--manifest", type=Path, default=ROOT / "models" / "emotion_vgg16.json")
    parser.add_argument("--json", type=Path, dest="json_path")
    options = parser.parse_args(arguments)
    show_figures(measure(options), json_path=options.json_path)


if __name__ == "__main__":
    main()
