"""Videos on the running site: sent through the web process, looked at by workers that die."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np

from tests.support import clip
from tests.support.site import Person, Site, wait_until
from tests.support.videos import make


def send(person: Person, film: bytes) -> dict[str, Any]:
    files = {"video": ("interview.mp4", film, "video/mp4")}
    answer = person.post("/api/v1/videos/", files=files)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def state(person: Person, video: dict[str, Any]) -> dict[str, Any]:
    return dict(person.get(f"/api/v1/videos/{video['id']}/").json())


def ended(person: Person, video: dict[str, Any]) -> dict[str, Any]:
    def is_over() -> dict[str, Any] | None:
        now = state(person, video)
        return now if now["status"] not in {"pending", "processing"} else None

    result: dict[str, Any] = wait_until(is_over, timeout=240)
    return result


def series(person: Person, video: dict[str, Any]) -> list[str]:
    """The samples, without the recording that they are of."""
    lines = person.get(video["links"]["csv"]).text.splitlines()
    return [line.partition(",")[2] for line in lines]


def test_a_video_survives_the_workers_that_look_at_it(own_site: Site) -> None:
    """Every sample once, and the same as where nobody dies."""
    frames = [clip.frame(clip.astronaut(), second) for second in np.arange(0, 30, 0.1)]
    film = make(frames, g="10")
    person = own_site.sign_up("film@example.org")
    undisturbed = ended(person, send(person, film))
    assert (undisturbed["status"], undisturbed["error"]) == ("done", None)
    video = send(person, film)
    position = 0.0
    for _kill in range(3):

        def has_got_on(before: float = position) -> float | None:
            now = state(person, video)
            if now["status"] not in {"pending", "processing"}:
                return float("inf")
            return now["progress"]["seconds"] if now["progress"]["seconds"] > before else None

        position = wait_until(has_got_on, timeout=120, every=0.05)
        own_site.kill("worker")
        own_site.start("worker")
    assert ended(person, video)["status"] == "done"
    samples = series(person, video)
    assert len(samples) > 200
    assert samples == series(person, undisturbed)
    assert not [path for path in own_site.data_dir.rglob("videos/*/*") if path.is_file()]


def test_a_body_with_a_video_may_be_larger_than_one_with_photos(site: Site) -> None:
    person = site.sign_up("large-video@example.org")
    large = b"\0\0\0\x18ftypmp42" + bytes(110 * 1024 * 1024)
    video = send(person, large)
    assert ended(person, video)["error"]["code"] == "damaged"
    stranger = httpx.post(
        f"{site.url}/api/v1/videos/", files={"video": ("a.mp4", large)}, timeout=60
    )
    assert stranger.status_code == 401
