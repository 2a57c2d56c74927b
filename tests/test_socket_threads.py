"""Sockets ask the database in a few threads, each one thing at a time, and everybody's in turn."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from channels.db import database_sync_to_async

from accounts.sockets import caller_of
from emotion_site.socket_threads import SocketThreads
from operations.threads_in_turn import Threads

N_THREADS = 4
Work = Callable[[], Any]


class Stopped(BaseException):
    """As an interpreter ends something, not as an error."""


class Slow:
    """Something that lasts until it is let go; notes who has begun it."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = threading.Event()

    def of(self, name: str) -> Work:
        def work() -> str:
            self.begun.append(name)
            assert self.may_end.wait(10)
            return name

        return work

    async def has_begun(self, n: int) -> None:
        async with asyncio.timeout(10):
            while len(self.begun) < n:
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        assert len(self.begun) == n


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    slow.may_end.set()


class Socket:
    """Asks, by Channels' own way, what its task is given."""

    def __init__(self, threads: Threads, address: str, cookie: str) -> None:
        self.questions: asyncio.Queue[Any] = asyncio.Queue()
        scope = {"client": [address, 1], "headers": [(b"cookie", cookie.encode())]}
        application = SocketThreads(self._run, threads)
        self.task = asyncio.create_task(application(scope, None, None))

    async def _run(self, scope: Any, receive: Any, send: Any) -> None:
        while (question := await self.questions.get()) is not None:
            work, told = question
            told.set_result(asyncio.create_task(database_sync_to_async(work)()))

    async def ask(self, work: Work) -> asyncio.Task[Any]:
        """Begin to ask; the task has the answer."""
        told: asyncio.Future[asyncio.Task[Any]] = asyncio.get_running_loop().create_future()
        self.questions.put_nowait((work, told))
        return await told


@pytest.fixture
def opened() -> Callable[..., Socket]:
    threads = Threads(N_THREADS, "socket")
    return lambda address="192.0.2.1", cookie="a": Socket(threads, address, cookie)


Open = Callable[..., Socket]


async def test_who_waits_for_the_database_keeps_nobody_else_waiting(
    slow: Slow, opened: Open
) -> None:
    mine = [await opened().ask(slow.of("mine")) for _ in range(5)]
    await slow.has_begun(1)
    beside = [await opened(cookie=str(n)).ask(slow.of("beside")) for n in range(5)]
    await slow.has_begun(N_THREADS // 2)
    other = await opened("198.51.100.7").ask(lambda: threading.current_thread().name)
    assert (await asyncio.wait_for(other, 10)).startswith("socket")
    assert slow.begun == ["mine", "beside"]
    slow.may_end.set()
    assert await asyncio.gather(*mine, *beside) == ["mine"] * 5 + ["beside"] * 5


async def test_one_socket_does_one_thing_after_the_other(opened: Open) -> None:
    at_once, seen, done = 0, 0, []

    def work(number: int) -> None:
        nonlocal at_once, seen
        at_once += 1
        seen = max(seen, at_once)
        done.append(number)
        threading.Event().wait(0.005)
        at_once -= 1

    socket = opened()
    await asyncio.gather(*[await socket.ask(lambda n=n: work(n)) for n in range(20)])
    assert (done, seen) == (list(range(20)), 1)


async def test_what_nobody_waits_for_any_more_is_not_begun(slow: Slow, opened: Open) -> None:
    socket = opened()
    first = await socket.ask(slow.of("first"))
    await slow.has_begun(1)
    given_up = [await socket.ask(slow.of("given up")) for _ in range(3)]
    last = await socket.ask(slow.of("last"))
    for task in given_up:
        task.cancel()
    slow.may_end.set()
    assert await asyncio.gather(first, last) == ["first", "last"]
    assert slow.begun == ["first", "last"]


async def test_what_was_begun_keeps_its_turn_until_it_has_ended(slow: Slow, opened: Open) -> None:
    socket = opened()
    task = await socket.ask(slow.of("given up"))
    await slow.has_begun(1)
    task.cancel()
    await asyncio.sleep(0.02)
    following = await socket.ask(slow.of("following"))
    await slow.has_begun(1)
    slow.may_end.set()
    assert await following == "following"
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_failures_come_to_who_asked_and_keep_no_turn(opened: Open) -> None:
    def fail() -> None:
        raise LookupError("no such thing")

    def stop() -> None:
        raise Stopped

    socket = opened()
    for work, expected in [(fail, LookupError), (stop, Stopped)] * N_THREADS:
        with pytest.raises(expected):
            await (await socket.ask(work))
    assert await (await socket.ask(lambda: 7)) == 7


async def test_what_outlives_its_socket_can_still_save(slow: Slow, opened: Open) -> None:
    socket = opened()
    task = await socket.ask(slow.of("first"))
    await slow.has_begun(1)
    saved = await socket.ask(slow.of("saved"))
    socket.questions.put_nowait(None)
    await socket.task
    slow.may_end.set()
    assert await asyncio.gather(task, saved) == ["first", "saved"]


def test_programs_that_send_their_token_as_a_protocol_are_told_apart() -> None:
    callers = {
        caller_of({"headers": [], "subprotocols": [f"visage.token.{key}"]}) for key in ("a", "b")
    }
    assert len(callers) == 2
