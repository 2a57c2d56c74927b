"""A study as it is run: participants at once, each with a clock and a network of their own.

How much of what they send is stored, how far markers and samples are from the truth, how long pages
take meanwhile, and what is left when the web process is killed in the middle.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from benchmarks.study_participants import Taker
from tests.support import clip
from tests.support.live_server import LiveServer
from tests.support.live_trips import Trips
from tests.support.report import Figure, show_figures

RATE = 5.0
#: Seconds between two visits to another page.
PAGE_SECONDS = 0.25
#: Milliseconds that a marker may be from the truth.
MARKER_MS = 50
_MAKE = """
import json
from accounts.models import User
from tests.support import studies
owner, _ = User.objects.get_or_create(email="bench@example.org")
study = studies.open_study(owner, {title!r}, most_participants=1000)
for number in range(6):
    studies.block(study, text="Look here.")
print(json.dumps(study.link_key))
"""
_READ = """
import json
from recognition.series import storing
from studies.models import Study
found = []
for one in Study.objects.get(link_key={key!r}).participations.all():
    recording = one.recording
    samples = [s.time_ms for some, _ in storing.read(recording) for s in some] if recording else []
    found.append({{
        "id": one.pk.hex[:12], "state": one.state,
        "started": recording.started_at.timestamp() * 1000 if recording else 0,
        "frames": recording.n_frames if recording else 0, "samples": samples,
        "visits": [[v.block_id, v.start_ms, v.end_ms] for v in one.visits.all()],
        "markers": recording.markers.count() if recording else 0,
        "round_trip": min([c.round_trip_ms for c in one.clock_readings.all()], default=None),
    }})
print(json.dumps(found))
"""


class StudyServer(LiveServer):
    """The web process and Redis."""

    PROCESSES = ("redis", "web")

    def study(self, title: str) -> str:
        """Make a study of six blocks; its link."""
        return str(self._shell(_MAKE.format(title=title)))

    def read(self, key: str) -> dict[str, dict[str, Any]]:
        """What is stored of its participants, by the beginning of their id."""
        return {one["id"]: one for one in self._shell(_READ.format(key=key))}

    def _shell(self, script: str) -> Any:
        made = self.manage("shell", "--verbosity", "0", "--command", script).stdout
        return json.loads(made.splitlines()[-1])


def pictures() -> tuple[list[bytes], list[bytes]]:
    """A camera's frames with a face, and without one."""
    portrait = clip.astronaut()
    with_face = [clip.jpeg_frame(portrait, 0.2 * n) for n in range(32)]
    away = [clip.jpeg_frame(portrait, clip.AWAY[0] + 0.1 + 0.1 * n) for n in range(12)]
    return with_face, away


async def run(
    server: StudyServer, key: str, options: argparse.Namespace, seconds: float, *, kill: bool
) -> tuple[list[Taker], Trips, dict[str, int]]:
    """All participants at once; they, the pages' times, and samples stored before the kill."""
    faces, empty = pictures()
    takers = [
        Taker(server.url, key, faces, empty, random.Random(number))
        for number in range(options.participants)
    ]
    for taker in takers:
        await taker.agree()
    pages, stored = Trips(), {}
    watching = asyncio.create_task(_visit(server, key, pages))
    taking = [asyncio.create_task(taker.take_part(RATE, seconds)) for taker in takers]
    if kill:
        await asyncio.gather(*(taker.passed.wait() for taker in takers))
        await asyncio.sleep(seconds / 2)
        found = await asyncio.to_thread(server.read, key)
        stored = {pk: len(one["samples"]) for pk, one in found.items()}
        await asyncio.to_thread(server.kill, "web")
        await asyncio.to_thread(server.start, "web")
    await asyncio.gather(*taking)
    watching.cancel()
    return takers, pages, stored


async def _visit(server: StudyServer, key: str, trips: Trips) -> None:
    """Somebody who opens pages again and again, as those do who come in."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        while True:
            began = time.perf_counter()
            try:
                await http.get(f"/take-part/{key}/")
                trips.seconds.append(time.perf_counter() - began)
            except httpx.HTTPError:
                pass  # The process is killed.
            await asyncio.sleep(PAGE_SECONDS)


def marker_errors(takers: Sequence[Taker], found: dict[str, dict[str, Any]]) -> list[float]:
    """Milliseconds from each block's true beginning and end to what is stored of it."""
    errors = []
    for taker in takers:
        row = found[taker.plan["id"]]
        for block, start, end in row["visits"]:
            truth = [moment - row["started"] for moment in taker.shown[block]]
            errors += [start - truth[0], end - truth[1]]
    return errors


def sample_errors(takers: Sequence[Taker], found: dict[str, dict[str, Any]]) -> list[float]:
    """Milliseconds from each sample to the nearest true moment of a frame."""
    errors = []
    for taker in takers:
        row = found[taker.plan["id"]]
        # With a face or without: one that was there a moment ago is still followed.
        truth = [moment - row["started"] for moment, _has_face in taker.sent]
        for time_ms in row["samples"]:
            place = bisect_left(truth, time_ms)
            near = truth[max(0, place - 1) : place + 1]
            errors.append(min((time_ms - moment for moment in near), key=abs))
    return errors


def _p(values: Sequence[float], share: float) -> float:
    ordered = sorted(map(abs, values))
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """All figures, one after the other."""
    n = options.participants
    with tempfile.TemporaryDirectory(prefix="visage-bench-") as folder:
        environment = {"STUDY_PARTICIPANTS_AT_ONCE": str(n), "STUDY_PARTICIPANTS_PER_ADDRESS": "0"}
        with StudyServer(Path(folder), **environment) as server:
            key = server.study("Undisturbed")
            takers, pages, _ = asyncio.run(run(server, key, options, options.seconds, kill=False))
            found = server.read(key)
            sent = sum(len(taker.sent) for taker in takers)
            wanted = sent + sum(taker.n_dropped for taker in takers)
            stored = sum(one["frames"] for one in found.values())
            yield Figure(
                f"{n} participants at {RATE:.0f} frames/s for {options.seconds:.0f} s: "
                "frames sent that are stored; of those that were due",
                "99 %",
                f"{stored / sent:.2%}; {stored / wanted:.2%}",
                stored / wanted >= 0.99,
                {"sent": sent, "due": wanted, "stored": stored},
            )
            errors = marker_errors(takers, found)
            yield Figure(
                f"{len(errors)} markers beside the truth: median, p95, worst",
                f"{MARKER_MS} ms",
                f"{_p(errors, 0.5):.0f}, {_p(errors, 0.95):.0f}, {_p(errors, 1):.0f} ms",
                _p(errors, 1) <= MARKER_MS,
                {"median": _p(errors, 0.5), "p95": _p(errors, 0.95), "worst": _p(errors, 1)},
            )
            errors = sample_errors(takers, found)
            yield Figure(
                f"{len(errors)} samples beside the moment of their frame: median, p95, worst",
                f"{MARKER_MS} ms at p95",
                f"{_p(errors, 0.5):.0f}, {_p(errors, 0.95):.0f}, {_p(errors, 1):.0f} ms",
                _p(errors, 0.95) <= MARKER_MS,
                {"median": _p(errors, 0.5), "p95": _p(errors, 0.95), "worst": _p(errors, 1)},
            )
            yield Figure(
                "pages meanwhile: p95",
                "500 ms",
                f"{pages.percentile(0.95):.0f} ms",
                pages.percentile(0.95) < 500,
                {"p95_milliseconds": pages.percentile(0.95), "pages": len(pages.seconds)},
            )
            yield _killed(server, options)


def _killed(server: StudyServer, options: argparse.Namespace) -> Figure:
    key = server.study("Killed")
    takers, _pages, stored = asyncio.run(
        run(server, key, options, options.killed_seconds, kill=True)
    )
    found = server.read(key)
    finished = sum(one["state"] == "finished" for one in found.values())
    lost = sum(max(0, before - len(found[pk]["samples"])) for pk, before in stored.items())
    whole = sum(len(one["visits"]) == 6 and one["markers"] == 12 for one in found.values())
    sent = sum(len(taker.sent) for taker in takers)
    frames = sum(one["frames"] for one in found.values())
    errors = marker_errors(takers, found)
    n = len(takers)
    return Figure(
        "web process killed and started again: finished; with all markers, once each; stored "
        "samples lost; frames sent that are stored; worst marker",
        f"{n}; {n}; 0",
        f"{finished}; {whole}; {lost}; {frames / sent:.1%}; {_p(errors, 1):.0f} ms",
        finished == whole == n and lost == 0,
        {"finished": finished, "whole": whole, "lost": lost, "sent": sent, "stored": frames,
         "openings": sum(taker.n_opened for taker in takers)},
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participants", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--killed-seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path, dest="json_path")
    options = parser.parse_args(arguments)
    show_figures(measure(options), json_path=options.json_path)


if __name__ == "__main__":
    main()
