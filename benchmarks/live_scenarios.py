"""What is done to a running server, and what comes out: real sockets, a real clip."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from urllib.request import Request, urlopen

from tests.support.live_server import LiveServer
from tests.support.live_trips import Trips, at_a_pace
from tests.support.page_client import PageClient

IN_FLIGHT = 2
#: Seconds between two visits to another page while the sockets are busy.
PAGE_SECONDS = 0.25
PAGE = "/uploads/"


async def as_fast_as_answers_come(
    server: LiveServer, cookie: str, frames: Sequence[bytes], n_frames: int
) -> Trips:
    """One client with two frames in flight."""
    trips = Trips()
    async with PageClient(server.url, cookie) as live:
        await live.receive()
        await live.label(frames[0])  # The first one waits for the thread's model.
        sent: dict[int, float] = {}
        began = time.perf_counter()
        for index in range(n_frames + IN_FLIGHT):
            if len(sent) == IN_FLIGHT or index >= n_frames:
                answer = await live.receive()
                now = time.perf_counter()
                for number in [number for number in sent if number <= answer["frame"]]:
                    if number == answer["frame"]:
                        trips.seconds.append(now - sent[number])
                    del sent[number]
                if not sent and index >= n_frames:
                    break
            if index < n_frames:
                number = await live.send(frames[index % len(frames)])
                sent[number] = time.perf_counter()
        trips.duration = time.perf_counter() - began
    return trips


async def pages(server: LiveServer, cookie: str, seconds: float) -> Trips:
    """Somebody who looks at another page again and again."""
    trips = Trips()
    request = Request(server.url + PAGE, headers={"Cookie": cookie})

    def visit() -> float:
        began = time.perf_counter()
        with urlopen(request, timeout=60) as response:
            response.read()
        return time.perf_counter() - began

    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        trips.seconds.append(await asyncio.to_thread(visit))
        await asyncio.sleep(PAGE_SECONDS)
    trips.duration = time.perf_counter() - began
    return trips


async def crowd(
    server: LiveServer, frames: Sequence[bytes], n_clients: int, rate: float, seconds: float
) -> tuple[Trips, Trips]:
    """Many clients, two a person, beside somebody on another page: ``(frames, pages)``."""
    *clients, page = await asyncio.gather(
        *(
            at_a_pace(server, server.cookies[index // 2], frames, rate, seconds)
            for index in range(n_clients)
        ),
        pages(server, server.cookies[0], seconds),
    )
    together = Trips(duration=max(trips.duration for trips in clients))
    for trips in clients:
        together.seconds += trips.seconds
    return together, page


@dataclass(frozen=True)
class Flood:
    """Outcome of :func:`flood`: MB that the server grew by at most, seconds from a frame to its
    labels at most, and the round trips of somebody else meanwhile."""

    growth: float
    oldest_label: float
    others: Trips


async def flood(server: LiveServer, frames: Sequence[bytes], n_frames: int, rate: float) -> Flood:
    """A client that sends without regard to answers, beside one that behaves."""
    before = highest = server.memory()
    seconds = n_frames / rate
    task = asyncio.create_task(at_a_pace(server, server.cookies[0], frames, rate, seconds))
    others = asyncio.create_task(at_a_pace(server, server.cookies[1], frames, 5.0, seconds))
    while not task.done():
        highest = max(highest, server.memory())
        await asyncio.sleep(0.1)
    return Flood(highest - before, (await task).percentile(1.0) / 1000, await others)


async def endurance(
    server: LiveServer, frames: Sequence[bytes], n_frames: int, n_first: int = 1000
) -> float:
    """Growth of the server's memory after the first frames, as a share."""
    cookie = server.cookies[0]
    await as_fast_as_answers_come(server, cookie, frames, n_first)
    before = server.memory()
    await as_fast_as_answers_come(server, cookie, frames, n_frames - n_first)
    return server.memory() / before - 1


@dataclass(frozen=True)
class Leaks:
    """What the server has more of than before: threads, open files and sockets, MB.

    Of threads what each third of the openings has left, for pools make theirs when they first
    happen to want one more, and then no more.
    """

    threads: int
    files: int
    memory: float


async def churn(
    server: LiveServer, frames: Sequence[bytes], n_openings: int, n_at_once: int = 20
) -> Leaks:
    """Sockets that are opened, used a little, and cut at a random moment."""
    dice = random.Random(0)

    async def one(index: int) -> None:
        cookie = server.cookies[index % n_at_once // 2]
        with suppress(Exception):  # Cut off in the middle of anything.
            async with PageClient(server.url, cookie) as live:
                deadline = time.perf_counter() + dice.uniform(0, 0.3)
                while time.perf_counter() < deadline:
                    await live.send(frames[index % len(frames)])
                    await asyncio.sleep(0.03)
                live.connection.transport.abort()

    async def some(n: int) -> None:
        places = asyncio.Semaphore(n_at_once)

        async def placed(index: int) -> None:
            async with places:
                await one(index)

        await asyncio.gather(*(placed(index) for index in range(n)))
        await _quiet(server)

    await some(n_at_once)  # So that nearly every thread that is ever needed is there.
    threads, files = [server.process.num_threads()], server.process.num_fds()
    memory = server.memory()
    for third in range(3):
        await some(n_openings // 3 + (third < n_openings % 3))
        threads.append(server.process.num_threads())
    return Leaks(
        min(after - before for before, after in pairwise(threads)),
        server.process.num_fds() - files,
        server.memory() - memory,
    )


async def _quiet(server: LiveServer, seconds: float = 10.0) -> None:
    """Wait until the server has let go of what was cut off."""
    deadline = time.monotonic() + seconds
    last = -1
    while time.monotonic() < deadline:
        await asyncio.sleep(1)
        files = server.process.num_fds()
        if files == last:
            return
        last = files
