"""The participant's clock beside ours, measured by questions that are answered at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

#: Questions of one measurement, of which the shortest counts, and seconds to wait for an answer.
EXCHANGES, PATIENCE_SECONDS = 5, 5.0
#: Seconds after which it is measured again: clocks drift by some milliseconds a minute.
AGAIN_SECONDS = 60.0
#: Seconds by which a frame may be older than its arrival: what a slow network holds back.
LATEST_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Reading:
    """Seconds to be added to the participant's clock for ``time.monotonic``, and how long the
    exchange took; it is wrong by half of that at most."""

    offset: float
    round_trip: float


class Clock:
    """One socket's participant's clock. Their page begins it anew when it is loaded."""

    def __init__(self) -> None:
        self.reading: Reading | None = None
        self._asked: tuple[int, float, asyncio.Future[Reading]] | None = None
        self._n_asked = 0
        self._last_taken = float("-inf")

    async def measure(self, ask: Callable[[dict[str, Any]], Awaitable[None]]) -> Reading | None:
        """Exchange times some times; None where no answer came, or none that can be."""
        best: Reading | None = None
        for _ in range(EXCHANGES):
            self._n_asked += 1
            future: asyncio.Future[Reading] = asyncio.get_running_loop().create_future()
            self._asked = (self._n_asked, time.monotonic(), future)
            await ask({"type": "ping", "id": self._n_asked})
            try:
                reading = await asyncio.wait_for(future, PATIENCE_SECONDS)
            except TimeoutError:
                continue
            if best is None or reading.round_trip < best.round_trip:
                best = reading
        if best is not None:
            self.reading = best
        return best

    def answered(self, number: Any, clock: Any) -> bool:
        """An answer came; whether it is one to the last question."""
        now = time.monotonic()
        told = milliseconds(clock)
        if self._asked is None or number != self._asked[0] or told is None:
            return False
        _number, asked_at, future = self._asked
        self._asked = None
        if not future.done():
            future.set_result(Reading((asked_at + now) / 2 - told / 1000, now - asked_at))
        return True

    def moment(self, clock: Any) -> float | None:
        """A time by the participant's clock as one of ``time.monotonic``; None where it is none.

        Nothing has happened later than now.
        """
        told = milliseconds(clock)
        if told is None or self.reading is None:
            return None
        return min(time.monotonic(), told / 1000 + self.reading.offset)

    def taken(self, clock: float) -> float | None:
        """When a frame was taken: not long before it came, nor before the one before it."""
        moment = self.moment(clock)
        if moment is None:
            return None
        self._last_taken = max(moment, time.monotonic() - LATEST_SECONDS, self._last_taken)
        return self._last_taken


def milliseconds(clock: Any) -> float | None:
    """A number that a clock may show; None for anything else."""
    if isinstance(clock, bool) or not isinstance(clock, int | float):
        return None
    return float(clock) if abs(clock) < 1e13 else None
