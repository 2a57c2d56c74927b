"""Measure the live page: a real Daphne, real sockets, a clip of a face at 640×480."""

from __future__ import annotations

import asyncio
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from emotion_site.settings import available_cores

ORIGINAL_FRAMES = 16
CLIENT_RATE = 5.0
FLOOD_RATE = 100.0


@dataclass(frozen=True)
class Figure:
    """One line of the table; `is_met` is None where it was not measured."""

    name: str
    wanted: str
    measured: str
    is_met: bool | None
    values: dict[str, Any]


class Command(BaseCommand):
    help = "Measure the live page beside the original's way, and print a table."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures here, too")
        parser.add_argument("--seconds", type=float, default=10.0, help="of each measured stretch")
        parser.add_argument("--clients", type=int, nargs="+", default=[10, 25])
        parser.add_argument("--flood-frames", type=int, default=1000)
        parser.add_argument("--long-frames", type=int, default=100_000)
        parser.add_argument("--openings", type=int, default=500)
        parser.add_argument(
            "--original-python",
            default=sys.executable,
            metavar="PROGRAM",
            help="a Python that has TensorFlow, for the original's way",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Here and not above: they need the packages of requirements/dev.txt.
        from recognition.bench import clip

        portrait = clip.astronaut()
        frames = list(clip.jpeg_frames(portrait))
        self.stdout.write(f"{_machine()}\n\n")
        original = _original(frames, options["original_python"])
        figures = [_steadiness(portrait)]
        self._print(figures[0])
        for figure in _served(frames, original, options):
            figures.append(figure)
            self._print(figure)
        if options["json"]:
            content = {"machine": _machine(), "figures": [asdict(figure) for figure in figures]}
            options["json"].write_text(json.dumps(content, indent=1) + "\n")

    def _print(self, figure: Figure) -> None:
        mark = {True: "met", False: "MISSED", None: "not measured"}[figure.is_met]
        self.stdout.write(f"| {figure.name} | {figure.wanted} | {figure.measured} | {mark} |\n")
        self.stdout.flush()


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = lines[0].partition(":")[2].strip() if lines else model
    import psutil

    memory = round(psutil.virtual_memory().total / 2**30)
    load = psutil.getloadavg()[0]
    return (
        f"{model}, {available_cores()} cores, {memory} GB, Python {platform.python_version()}; "
        f"load before the start {load:.1f}"
    )


def _steadiness(portrait: Any) -> Figure:
    from recognition.bench.steadiness import steadiness
    from recognition.vision.live import LiveRecognizer
    from recognition.vision.recognizer import EmotionRecognizer

    result = steadiness(
        LiveRecognizer(EmotionRecognizer(settings.MODEL_MANIFEST, num_threads=1)), portrait
    )
    return Figure(
        "changes of label in 6 s of a wavering face; a real change shows after",
        "at most a third as many as unsmoothed; 0.5 s",
        f"{result.changes} instead of {result.changes_unsmoothed}; {result.follows_after:.2f} s",
        result.changes * 3 <= result.changes_unsmoothed and result.follows_after <= 0.5,
        asdict(result),
    )


def _original(frames: Sequence[bytes], python: str) -> dict[str, Any] | str:
    """The figures of the original's way, or why there are none."""
    with tempfile.TemporaryDirectory(prefix="visage-bench-") as folder:
        for index, frame in enumerate(frames[:ORIGINAL_FRAMES]):
            (Path(folder) / f"{index:03d}.jpg").write_bytes(frame)
        done = subprocess.run(  # noqa: S603 (our own module)
            [python, "-m", "recognition.bench.original", folder],
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "failed"
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def _served(
    frames: Sequence[bytes], original: dict[str, Any] | str, options: dict[str, Any]
) -> Any:
    """The figures that need a server, one after the other."""
    from recognition.bench import scenarios
    from recognition.bench.server import LiveServer

    seconds = options["seconds"]
    n_people = max(10, (max(options["clients"]) + 1) // 2)
    with LiveServer(n_people) as server:
        cookie = server.cookies[0]
        run = asyncio.run
        run(scenarios.as_fast_as_answers_come(server, cookie, frames, 100))
        n_frames = max(30, round(seconds * 60))
        fast = run(scenarios.as_fast_as_answers_come(server, cookie, frames, n_frames))
        yield Figure(
            "one client, two frames in flight: frames/s, p95 round trip",
            "30 frames/s, ≤ 50 ms",
            f"{fast.rate:.0f} frames/s, {fast.percentile(0.95):.0f} ms",
            fast.rate >= 30 and fast.percentile(0.95) <= 50,
            {"frames_per_second": fast.rate, "p95_milliseconds": fast.percentile(0.95)},
        )
        yield _ratio(fast.rate, original)
        for n_clients in options["clients"]:
            trips, pages = run(scenarios.crowd(server, frames, n_clients, CLIENT_RATE, seconds))
            answered = len(trips.seconds) / (n_clients * CLIENT_RATE * seconds)
            yield Figure(
                f"{n_clients} clients at 5 frames/s: p95 round trip, other pages' p95",
                "≤ 250 ms, ≤ 500 ms" + (" (aim)" if n_clients > 10 else ""),
                f"{trips.percentile(0.95):.0f} ms, {pages.percentile(0.95):.0f} ms "
                f"({answered:.0%} of the frames answered)",
                trips.percentile(0.95) <= 250 and pages.percentile(0.95) <= 500,
                {
                    "p95_milliseconds": trips.percentile(0.95),
                    "pages_p95_milliseconds": pages.percentile(0.95),
                    "answered": answered,
                },
            )
        flood = run(scenarios.flood(server, frames, options["flood_frames"], FLOOD_RATE))
        others = flood.others.percentile(0.95)
        yield Figure(
            f"{options['flood_frames']} frames at 100 frames/s, answers ignored: memory, "
            "oldest label, p95 of another client",
            "≤ 50 MB, ≤ 1 s, ≤ 250 ms",
            f"{flood.growth:+.0f} MB, {flood.oldest_label:.2f} s, {others:.0f} ms",
            flood.growth <= 50 and flood.oldest_label <= 1 and others <= 250,
            {
                "growth_megabytes": flood.growth,
                "oldest_label_seconds": flood.oldest_label,
                "others_p95_milliseconds": others,
            },
        )
        leaks = run(scenarios.churn(server, frames, options["openings"]))
        yield Figure(
            f"{options['openings']} sockets opened and cut at random, 20 at a time: "
            "threads, files and sockets, memory left over",
            "none",
            f"{leaks.threads:+d}, {leaks.files:+d}, {leaks.memory:+.0f} MB",
            leaks.threads <= 0 and leaks.files <= 0,
            asdict(leaks),
        )
        growth = run(scenarios.endurance(server, frames, options["long_frames"]))
        yield Figure(
            f"{options['long_frames']:,} frames of one client: memory after the first 1,000",
            "within 5 %",
            f"{growth:+.1%}",
            abs(growth) <= 0.05,
            {"growth": growth},
        )


def _ratio(rate: float, original: dict[str, Any] | str) -> Figure:
    name, wanted = "the original's way on the same clip; ours is faster by", "20 ×"
    if isinstance(original, str):
        return Figure(name, wanted, original, None, {})
    ratio = rate / original["frames_per_second"]
    return Figure(
        name,
        wanted,
        f"{original['frames_per_second']:.1f} frames/s, {ratio:.0f} ×",
        ratio >= 20,
        {**original, "ratio": ratio},
    )
