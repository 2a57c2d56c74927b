"""Clients of the live page, and how long their frames were under way."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tests.support import clip
from tests.support.page_client import PageClient
from tests.support.site import Site


@dataclass
class Trips:
    """Round trips of frames or pages, in seconds."""

    seconds: list[float] = field(default_factory=list)
    #: From the first to the last.
    duration: float = 0.0

    def percentile(self, share: float) -> float:
        """Milliseconds that `share` of the trips did not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    @property
    def rate(self) -> float:
        """Trips a second."""
        return len(self.seconds) / self.duration


async def at_a_pace(
    server: Site,
    cookie: str,
    frames: Sequence[bytes],
    rate: float,
    seconds: float,
) -> Trips:
    """One client that sends `rate` frames a second, whatever comes back and when."""
    trips = Trips()
    async with PageClient(server.url, cookie) as live:
        await live.receive()
        await live.label(frames[0])
        # Clients neither march in step nor show the same moment of the clip.
        first = random.randrange(len(frames))
        step = max(1, round(clip.FRAMES_PER_SECOND / rate))
        await asyncio.sleep(random.random() / rate)
        sent: dict[int, float] = {}

        async def read() -> None:
            while True:
                answer = await live.receive()
                trips.seconds.append(time.perf_counter() - sent[answer["frame"]])

        reader = asyncio.create_task(read())
        began = time.perf_counter()
        try:
            for index in range(round(rate * seconds)):
                delay = began + index / rate - time.perf_counter()
                if delay > 0:
                    await asyncio.sleep(delay)
                sent[live.n_sent + 1] = time.perf_counter()
                await live.send(frames[(first + index * step) % len(frames)])
            await asyncio.sleep(1)
            trips.duration = time.perf_counter() - began - 1
        finally:
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader
    return trips
