"""Many people at once: they upload, look at pages and wait for results, beside live pages.

Each person does as a browser would, in a closed loop: think, open a page with the pictures on it,
and send another photo while fewer than :data:`WAITING_AT_MOST` of theirs wait for a result. So the
workers always have something to do, and the queue is never longer than people are patient. The
people, too, run on the machine that is measured, and take from its cores.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.support import clip
from tests.support.bare_loop import bare
from tests.support.live_server import sign_in_people
from tests.support.live_trips import Trips, at_a_pace
from tests.support.pictures import astronaut, encode
from tests.support.site import ROOT, Site

#: Seconds between a page and the next click, evenly spread.
THINKING = (3.0, 9.0)
#: Photos of one person that wait for their results.
WAITING_AT_MOST = 2
#: Frames a second of live pages, one after the other.
LIVE_RATES = (2.0, 3.0, 4.0, 5.0)
#: Pages and how often they are asked for; None is that of one's newest upload.
PAGES: dict[str | None, int] = {
    "/": 3, "/uploads/": 3, None: 4, "/statistics/": 1, "/about/": 1, "/privacy/": 1, "/live/": 1,
}  # fmt: skip
#: Pictures that fit on a screen: browsers ask for the others (`loading="lazy"`) later or never.
PICTURES_ON_A_SCREEN = 6
#: Seconds before anything counts: processes load the model with their first photo.
WARMING_UP = 5.0
#: Seconds for everything that still waits at the end.
PATIENCE = 300.0
_PICTURE = re.compile(r'<img[^>]*src="(/uploads/[^"]+/(?:thumbnail|image)/)"')


@dataclass
class Seen:
    """What all people together saw for a while."""

    requests: int = 0
    pages: Trips = field(default_factory=Trips)
    pictures: Trips = field(default_factory=Trips)
    uploads: Trips = field(default_factory=Trips)
    errors: Counter[str] = field(default_factory=Counter)


class Visitor:
    """One person with a browser.

    Attributes:
        seen: where what they see is counted now.
    """

    def __init__(self, site: Site, cookie: str, photo: bytes, seed: int) -> None:
        name, value = cookie.split("=", 1)
        self._http = httpx.AsyncClient(
            base_url=site.url, cookies={name: value}, headers={"Origin": site.url}, timeout=30
        )
        self._photo = photo
        self._dice = random.Random(seed)
        self._waiting: list[str] = []
        self._newest = ""
        self.seen = Seen()

    async def use(self, stop: asyncio.Event) -> None:
        """Upload and look around until told to stop."""
        await self._think()  # Not all at the same moment.
        await self._request("GET", "/", 200)
        while not stop.is_set():
            if len(self._waiting) < WAITING_AT_MOST:
                await self._upload()
            await self._look()
            await self._ask_for_results()
            await self._think()

    async def finish(self) -> list[dict[str, Any]]:
        """Wait for what still waits; returns all of one's uploads."""
        end = time.monotonic() + PATIENCE
        while self._waiting and time.monotonic() < end:
            await asyncio.sleep(1)
            await self._ask_for_results()
        found: list[dict[str, Any]] = []
        path: str | None = "/api/v1/uploads/?page_size=200"
        while path:
            answer = await self._request("GET", path, 200)
            page = answer.json() if answer is not None else {"results": [], "next": None}
            found += page["results"]
            path = page["next"]
        await self._http.aclose()
        return found

    async def _think(self) -> None:
        await asyncio.sleep(self._dice.uniform(*THINKING))

    async def _upload(self) -> None:
        began = time.perf_counter()
        answer = await self._request(
            "POST",
            "/api/v1/uploads/",
            201,
            files={"image": ("photo.jpg", self._photo)},
            headers={"X-CSRFToken": self._csrf_token()},
        )
        if answer is not None:
            self.seen.uploads.seconds.append(time.perf_counter() - began)
            self._newest = answer.json()["id"]
            self._waiting.append(self._newest)

    def _csrf_token(self) -> str:
        cookies = self._http.cookies
        # Outside debug the name begins with `__Host-`.
        return next((str(cookies[name]) for name in cookies if name.endswith("csrftoken")), "")

    async def _look(self) -> None:
        (page,) = self._dice.choices(list(PAGES), list(PAGES.values()))
        path = page or (f"/uploads/{self._newest}/" if self._newest else "/uploads/")
        began = time.perf_counter()
        answer = await self._request("GET", path, 200)
        if answer is None:
            return
        self.seen.pages.seconds.append(time.perf_counter() - began)
        pictures = list(dict.fromkeys(_PICTURE.findall(answer.text)))[:PICTURES_ON_A_SCREEN]
        await asyncio.gather(*(self._picture(path) for path in pictures))

    async def _picture(self, path: str) -> None:
        began = time.perf_counter()
        if await self._request("GET", path, 200) is not None:
            self.seen.pictures.seconds.append(time.perf_counter() - began)

    async def _ask_for_results(self) -> None:
        # They are finished in their order.
        while self._waiting:
            answer = await self._request("GET", f"/api/v1/uploads/{self._waiting[0]}/", 200)
            if answer is None or answer.json()["status"] not in {"done", "failed"}:
                return
            del self._waiting[0]

    async def _request(
        self, method: str, path: str, wanted: int, **options: Any
    ) -> httpx.Response | None:
        self.seen.requests += 1
        try:
            answer = await self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            self.seen.errors[f"{method}: {type(error).__name__}"] += 1
            return None
        if answer.status_code == wanted:
            return answer
        self.seen.errors[f"{method}: {answer.status_code}"] += 1
        return None


@dataclass(frozen=True)
class Load:
    """Outcome of :func:`load`; times in milliseconds, rates a second.

    All but `errors`, `uploads` and `done` are of the time with people and live pages; those are
    from first to last.

    Attributes:
        errors: answers other than the wanted ones, requests without any, broken sockets, and
            uploads that did not end as done; how many of each.
        uploads: accepted, and `done` of them in the end.
        rate: results a second.
        rate_without_live: with the same people in the time after, all live pages closed.
        bare_rate: of the recognizer in a plain loop, before the site ran and after.
        live_answered: frames with an answer, as a share of those that were sent.
        cores: that each kind of process used; "people" are this program.
    """

    requests: int
    errors: dict[str, int]
    pages: int
    pages_p50: float
    pages_p95: float
    pictures: int
    pictures_p95: float
    accepting_p95: float
    uploads: int
    done: int
    rate: float
    rate_without_live: float
    bare_rate: float
    live_answers: int
    live_answered: float
    live_p95: float
    cores: dict[str, float]

    @property
    def ratio(self) -> float:
        """Results a second as a share of the bare loop's."""
        return self.rate / self.bare_rate


def load(
    folder: Path, n_people: int, n_live: int, seconds: float, n_bare: int, **environment: str
) -> Load:
    """People for so many seconds with live pages beside them, then a quarter of that without.

    Args:
        n_bare: photos of the bare loop, each before the site runs and after.
    """
    photo = encode(astronaut().resize((1280, 1280)), quality=90)
    manifest = ROOT / "models" / "emotion_vgg16.json"
    before = bare(photo, n_bare, manifest)
    with Site(folder, **environment) as site:
        cookies = sign_in_people(site, n_people + n_live)
        people = [
            Visitor(site, cookie, photo, seed) for seed, cookie in enumerate(cookies[:n_people])
        ]
        result = asyncio.run(_use(site, people, cookies[n_people:], seconds))
    after = bare(photo, n_bare, manifest)
    return replace(result, bare_rate=(before + after) / 2)


async def _use(
    site: Site, people: Sequence[Visitor], live_cookies: Sequence[str], seconds: float
) -> Load:
    """All but the bare loop."""

    def count_anew() -> Seen:
        seen = Seen()
        for person in people:
            person.seen = seen
        return seen

    frames = list(clip.jpeg_frames(clip.astronaut()))
    live_pages = list(zip(live_cookies, itertools.cycle(LIVE_RATES), strict=False))
    stop = asyncio.Event()
    warming_up = count_anew()
    visits = [asyncio.create_task(person.use(stop)) for person in people]
    live = [
        asyncio.create_task(at_a_pace(site, cookie, frames, rate, WARMING_UP + seconds))
        for cookie, rate in live_pages
    ]
    await asyncio.sleep(WARMING_UP)

    beside_live, start, used = count_anew(), datetime.now(UTC), _processor_seconds(site)
    await asyncio.sleep(seconds)
    live_end = datetime.now(UTC)
    cores = {name: (now - used[name]) / seconds for name, now in _processor_seconds(site).items()}

    trips = await asyncio.gather(*live, return_exceptions=True)
    without_live, alone_start = count_anew(), datetime.now(UTC)
    await asyncio.sleep(seconds / 4)
    end = datetime.now(UTC)
    stop.set()
    await asyncio.gather(*visits)
    uploads = list(itertools.chain(*[await person.finish() for person in people]))

    errors = warming_up.errors + beside_live.errors + without_live.errors
    errors.update(f"live: {type(trip).__name__}" for trip in trips if isinstance(trip, Exception))
    done = [
        datetime.fromisoformat(upload["finished_at"])
        for upload in uploads
        if upload["status"] == "done"
    ]
    if len(done) < len(uploads):
        errors["uploads without a result"] = len(uploads) - len(done)
    answers = Trips([one for trip in trips if isinstance(trip, Trips) for one in trip.seconds])
    sent = sum(rate for _cookie, rate in live_pages) * (WARMING_UP + seconds)
    return Load(
        requests=beside_live.requests,
        errors=dict(errors),
        pages=len(beside_live.pages.seconds),
        pages_p50=beside_live.pages.percentile(0.5),
        pages_p95=beside_live.pages.percentile(0.95),
        pictures=len(beside_live.pictures.seconds),
        pictures_p95=beside_live.pictures.percentile(0.95),
        accepting_p95=beside_live.uploads.percentile(0.95),
        uploads=len(uploads),
        done=len(done),
        rate=sum(start <= moment < live_end for moment in done) / seconds,
        rate_without_live=sum(alone_start <= moment < end for moment in done) / (seconds / 4),
        bare_rate=0.0,
        live_answers=len(answers.seconds),
        live_answered=len(answers.seconds) / sent,
        live_p95=answers.percentile(0.95),
        cores=cores,
    )


def _processor_seconds(site: Site) -> dict[str, float]:
    """What each kind of process and this program have used so far."""
    used = {"people": sum(psutil.Process().cpu_times()[:2])}
    for name in site.PROCESSES:
        process = psutil.Process(site.pid(name))
        family = [process, *process.children(recursive=True)]
        used[name] = sum(sum(member.cpu_times()[:2]) for member in family)
    return used
