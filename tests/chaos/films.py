"""A worker that is killed again and again in the middle of one video."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.support import clip
from tests.support.report import Figure
from tests.support.site import Person, Site, wait_until
from tests.support.videos import make

#: Seconds within which a video must get on, or end: a claim runs out, a sweep finds the video.
PATIENCE = 300
UNFINISHED = {"pending", "processing"}


@dataclass(frozen=True)
class Film:
    """Outcome of :func:`kill_in_film`.

    Attributes:
        status: how the video ended.
        kills: of the whole worker, each after the video had got on since the one before.
        samples: that there are.
        lost, doubled, different: compared with the same video that nobody disturbed.
    """

    status: str
    kills: int
    samples: int
    lost: int
    doubled: int
    different: int


def kill_in_film(folder: Path, n_kills: int, seconds: float, **environment: str) -> Film:
    """Send a video twice; kill the worker in the second one."""
    frames = [clip.frame(clip.astronaut(), second) for second in np.arange(0, seconds, 0.1)]
    data = make(frames, g="10")
    with Site(folder, **environment) as site:
        person = site.sign_up("film@example.org")
        undisturbed = _ended(person, _send(person, data))
        video, position, kills = _send(person, data), 0.0, 0
        while kills < n_kills:

            def got_on(before: float = position) -> dict[str, Any] | None:
                now = _state(person, video)
                is_over = now["status"] not in UNFINISHED
                return now if is_over or now["progress"]["seconds"] > before else None

            now = wait_until(got_on, timeout=PATIENCE, every=0.05)
            if now["status"] not in UNFINISHED:
                break
            position = now["progress"]["seconds"]
            site.kill("worker")
            site.start("worker")
            kills += 1
        ended = _ended(person, video)
        whole, found = _samples(person, undisturbed), _samples(person, ended)
    keys = Counter(key for key, _rest in found)
    wanted = dict(whole)
    return Film(
        status=ended["status"],
        kills=kills,
        samples=len(found),
        lost=len(wanted.keys() - keys.keys()),
        doubled=sum(number - 1 for number in keys.values()),
        different=sum(wanted.get(key) != rest for key, rest in found),
    )


def figure(folder: Path, n_kills: int, seconds: float, **environment: str) -> Figure:
    """The promise: every sample once, and the same as where nobody dies."""
    result = kill_in_film(folder, n_kills, seconds, **environment)
    return Figure(
        f"a video of {seconds:.0f} s, the whole worker killed {n_kills} times in it: its end; "
        "kills; samples lost; doubled; different",
        f"done; {n_kills}; 0; 0; 0",
        f"{result.status}; {result.kills}; {result.lost}; {result.doubled}; {result.different}",
        result == Film("done", n_kills, result.samples, 0, 0, 0) and result.samples > 0,
        asdict(result),
    )


def _send(person: Person, data: bytes) -> dict[str, Any]:
    answer = person.post("/api/v1/videos/", files={"video": ("film.mp4", data, "video/mp4")})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def _state(person: Person, video: dict[str, Any]) -> dict[str, Any]:
    return dict(person.get(f"/api/v1/videos/{video['id']}/").json())


def _ended(person: Person, video: dict[str, Any]) -> dict[str, Any]:
    def is_over() -> dict[str, Any] | None:
        now = _state(person, video)
        return None if now["status"] in UNFINISHED else now

    ended: dict[str, Any] = wait_until(is_over, timeout=PATIENCE)
    return ended


def _samples(person: Person, video: dict[str, Any]) -> list[tuple[tuple[str, str], str]]:
    """Time and face of each sample, and all else that its row has."""
    lines = person.get(video["links"]["csv"]).text.splitlines()[1:]
    rows = [line.split(",", 3) for line in lines]
    return [((time_ms, face), rest) for _recording, time_ms, face, rest in rows]
