"""Frames wait for the threads that look at them, and network addresses are served in turn."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from operations import turns
from recognition.live import frames_consumer
from recognition.live.frames_consumer import FramesConsumer
from recognition.live.pool import pool


class Frames(FramesConsumer):
    """Has a frame that waits, and another after each that was looked at."""

    def __init__(self, address: str, cookie: str, seen: list[str], may_end: Any) -> None:
        super().__init__()
        self.sender = address, cookie
        self.stream = self  # type: ignore[assignment]
        self.is_waiting = True
        self._seen, self._may_end = seen, may_end

    def process_next(self) -> None:
        self._seen.append(self.sender[0])
        assert self._may_end.acquire(timeout=10)

    async def _answer(self, answer: Any) -> None:
        """Nobody waits for it."""


async def test_an_address_with_many_sockets_keeps_no_other_waiting_for_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = turns.Line(1, of_place=1, of_caller=1)
    monkeypatch.setattr(frames_consumer, "line", lambda: line)
    seen: list[str] = []
    may_end = threading.Semaphore(0)
    many = [Frames("192.0.2.1", f"browser {number}", seen, may_end) for number in range(8)]
    one = Frames("192.0.2.2", "another", seen, may_end)
    work = [asyncio.create_task(frames._work()) for frames in (*many, one)]
    for n in range(1, 13):
        async with asyncio.timeout(10):
            while len(seen) < n:
                await asyncio.sleep(0.001)
        may_end.release()
    for frames in (*many, one):
        frames.is_waiting = False
    for _ in range(20):
        may_end.release()
    await asyncio.wait(work, timeout=10)
    # In the order in which they come it would be every ninth.
    assert seen[1:11].count("192.0.2.2") >= 3


async def test_a_socket_that_ends_gives_its_turn_back(monkeypatch: pytest.MonkeyPatch) -> None:
    line = turns.Line(1, of_place=1, of_caller=1)
    monkeypatch.setattr(frames_consumer, "line", lambda: line)
    may_end = threading.Semaphore(0)
    ends, stays = (Frames(f"192.0.2.{n}", "browser", [], may_end) for n in (1, 2))
    for frames in (ends, stays):
        frames.work = asyncio.create_task(frames._work())
        await asyncio.sleep(0.01)
    waits = stays.looking
    assert waits is not None
    ends.clear = lambda: None  # type: ignore[attr-defined]
    await FramesConsumer._clean_up(ends)
    stays.is_waiting = False
    for _ in range(2):
        may_end.release()
    async with asyncio.timeout(10):
        await waits
        await stays.work
    assert pool()._work_queue.empty()
