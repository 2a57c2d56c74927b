"""Requests are answered in threads that are kept, each by one request at a time."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from emotion_site import request_threads
from emotion_site.request_threads import RequestThreads
from tests.support.site import wait_until

is_alive = threading.Thread.is_alive


def _note(threads: list[threading.Thread]) -> None:
    threads.append(threading.current_thread())


class Threads(RequestThreads):
    """Answers with the thread that Django's code would run in, once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end: dict[str, threading.Event] = {}
        self.seen: dict[str, threading.Thread] = {}

    def load_middleware(self, is_async: bool = False) -> None:
        """None: nothing of Django's is asked here."""

    async def handle(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await sync_to_async(self._work)(scope["path"])

    def _work(self, path: str) -> None:
        assert self.may_end.setdefault(path, threading.Event()).wait(10)
        self.seen[path] = threading.current_thread()
        if path == "fails":
            raise FileNotFoundError

    async def ask(self, path: str, *, at_once: bool = True) -> asyncio.Task[None]:
        """Begin a request; one `at_once` is answered, another waits until it may end."""
        event = self.may_end.setdefault(path, threading.Event())
        if at_once:
            event.set()
        task = asyncio.create_task(self({"type": "http", "path": path}, None, None))
        if at_once:
            await task
        else:
            await asyncio.sleep(0.05)
        return task


async def test_a_thread_is_kept_for_the_next_request() -> None:
    threads = Threads()
    for path in "abc":
        await threads.ask(path)
    assert threads.seen["a"] == threads.seen["b"] == threads.seen["c"]


async def test_requests_at_the_same_time_have_a_thread_each() -> None:
    threads = Threads()
    slow = await threads.ask("slow", at_once=False)
    await threads.ask("quick")
    threads.may_end["slow"].set()
    await slow
    assert threads.seen["slow"] != threads.seen["quick"]
    # Both are free again, and no third is made.
    first = await threads.ask("first", at_once=False)
    await threads.ask("second")
    threads.may_end["first"].set()
    await first
    assert {threads.seen["first"], threads.seen["second"]} == {*threads.seen.values()}


async def test_one_that_is_given_up_lasts_until_its_thread_has_ended_its_work() -> None:
    """Or whoever gives up one after the other has ever more threads, and connections with them."""
    threads = Threads()
    given_up = await threads.ask("given up", at_once=False)
    given_up.cancel()
    done, _left = await asyncio.wait([given_up], timeout=0.2)
    assert not done
    threads.may_end["given up"].set()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    # Then it is free again.
    await threads.ask("next")
    assert threads.seen["next"] == threads.seen["given up"]


async def test_one_whose_answer_fails_gives_its_thread_back() -> None:
    """As a download does whose file is deleted meanwhile; nobody closed its connection."""
    threads = Threads()
    let_go: list[threading.Thread] = []
    with pytest.MonkeyPatch.context() as patch:
        note = partial(_note, let_go)
        patch.setattr(request_threads.kept_connections, "let_go", note)
        with pytest.raises(FileNotFoundError):
            await threads.ask("fails")
    assert let_go == [threads.seen["fails"]]
    await threads.ask("next")
    assert threads.seen["next"] == threads.seen["fails"]


async def test_a_few_threads_stay_and_the_others_end(settings: Any) -> None:
    settings.PAGES_AT_ONCE = 4
    threads = Threads()
    names = [str(number) for number in range(6)]
    asked = [await threads.ask(name, at_once=False) for name in names]
    for name in names:
        threads.may_end[name].set()
    await asyncio.gather(*asked)
    assert len({*threads.seen.values()}) == 6
    await asyncio.to_thread(wait_until, lambda: sum(map(is_alive, threads.seen.values())) == 2)


async def test_nobody_waits_behind_what_was_given_up() -> None:
    threads = Threads()
    given_up = await threads.ask("given up", at_once=False)
    given_up.cancel()
    # Its code cannot be stopped, and goes on in its thread.
    await asyncio.sleep(0.05)
    await threads.ask("next")
    assert "given up" not in threads.seen
    threads.may_end["given up"].set()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert threads.seen["next"] != threads.seen["given up"]
