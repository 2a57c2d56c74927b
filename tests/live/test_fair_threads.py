"""Who has the threads that look at frames, while there are more frames than they can look at."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import count
from typing import Any

import pytest

from recognition.live import frames_consumer
from recognition.live.fair_threads import FairThreads, Sender
from recognition.live.frames_consumer import FramesConsumer
from recognition.live.stream import Answer
from recognition.vision.live import LiveFrame
from tests.support.site import wait_until


class Threads(FairThreads):
    """Their clock tells what frames say that they cost."""

    def __init__(self, n: int = 1) -> None:
        self.now = 0.0
        super().__init__(n, clock=lambda: self.now)
        self.seen: list[str] = []
        #: What happens once so many frames were looked at.
        self.when: dict[int, Callable[[], Any]] = {}
        self.may_begin = threading.Event()
        self._blocked = super().submit(("", ""), self.may_begin.wait)

    def send(
        self, sender: Sender, cost: float, n: int, *, anew: Callable[[int], Sender] | None = None
    ) -> Future[None]:
        """Frame after frame, as a page does: one waits for the answer of the one before.

        Args:
            anew: who a frame comes from instead, by its number.
        """
        last: Future[None] = Future()

        def look() -> None:
            self.now += cost
            self.seen.append(sender[0])
            self.when.pop(len(self.seen), bool)()

        def go_on(done: Future[Any]) -> None:
            number = next(numbers)
            if number >= n:
                last.set_result(None)
            else:
                who = anew(number) if anew is not None else sender
                self.submit(who, look).add_done_callback(go_on)

        numbers = count(1)
        self.submit(sender, look).add_done_callback(go_on)
        return last

    def share(self, name: str, of_first: int) -> float:
        return Counter(self.seen[:of_first])[name] / of_first


@pytest.fixture
def threads() -> Iterator[Threads]:
    started = Threads()
    yield started
    started.may_begin.set()


def test_whoever_has_dear_frames_has_as_much_time_and_not_as_many_frames(threads: Threads) -> None:
    senders = [threads.send((f"dear {number}", ""), 0.2, 10) for number in range(3)]
    one = threads.send(("ordinary", ""), 0.01, 10)
    threads.may_begin.set()
    one.result(10)
    # After each of the dear ones it has its turn. In turn it would be every fourth.
    assert threads.share("ordinary", 18) >= 0.5
    for sender in senders:
        sender.result(10)


def test_many_sockets_of_an_address_have_what_one_has(threads: Threads) -> None:
    many = [threads.send(("many", f"browser {number}"), 0.1, 10) for number in range(8)]
    one = threads.send(("one", ""), 0.1, 10)
    threads.may_begin.set()
    one.result(10)
    assert 0.4 <= threads.share("many", 20) <= 0.6
    for sender in many:
        sender.result(10)


@pytest.mark.parametrize("what", ["address", "browser"])
def test_whoever_is_somebody_new_for_each_frame_keeps_nobody_waiting(
    threads: Threads, what: str
) -> None:
    """Cookies and IPv6 addresses cost nothing: who has just come is not before all others."""

    def anew(socket: int, frame: int) -> Sender:
        name = f"new {socket} {frame}"
        return (name, "") if what == "address" else ("address", name)

    known: Sender = ("known", "") if what == "address" else ("address", "known")
    others = [
        threads.send(anew(number, 0), 0.2, 30, anew=partial(anew, number)) for number in range(6)
    ]
    one = threads.send(known, 0.01, 20)
    threads.may_begin.set()
    one.result(10)
    # In turn it would be every seventh.
    assert len(threads.seen) <= 7 * 20
    for sender in others:
        sender.result(10)


def test_nobody_saves_up_time_by_staying_away(threads: Threads) -> None:
    late: list[Future[None]] = []
    threads.when[20] = lambda: late.append(threads.send(("late", ""), 0.1, 20))
    busy = threads.send(("busy", ""), 0.1, 60)
    threads.may_begin.set()
    busy.result(10)
    late[0].result(10)
    assert 8 <= Counter(threads.seen[20:40])["late"] <= 12


def test_nothing_is_left_of_those_who_are_gone(threads: Threads) -> None:
    sent = [threads.send((f"address {number}", "browser"), 0.1, 3) for number in range(50)]
    threads.may_begin.set()
    for sender in sent:
        sender.result(10)
    wait_until(lambda: not threads._all.parts, every=0.001)


def test_what_goes_wrong_is_told_and_the_next_is_done(threads: Threads) -> None:
    def fail() -> None:
        raise ValueError("broken")

    threads.may_begin.set()
    failed = threads.submit(("a", ""), fail)
    with pytest.raises(ValueError, match="broken"):
        failed.result(10)
    assert threads.submit(("a", ""), lambda: 7).result(10) == 7


async def test_a_socket_that_ends_takes_its_frame_out_of_the_line(
    threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames_consumer, "pool", lambda: threads)
    looked_at: list[str] = []

    def socket(name: str) -> FramesConsumer:
        consumer = FramesConsumer()
        consumer.sender = name, ""
        monkeypatch.setattr(consumer.stream, "process_next", partial(looked_at.append, name))
        consumer.stream.offer(b"a frame")
        assert consumer._look() is not None
        return consumer

    ends, stays = socket("ends"), socket("stays")
    await ends._clean_up()
    # asyncio tells the thread's future in the loop's next round.
    await asyncio.sleep(0)
    threads.may_begin.set()
    assert stays.looking is not None
    await stays.looking
    assert looked_at == ["stays"]


async def test_a_socket_that_fails_has_no_two_frames_looked_at_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where saving what was seen fails, the next frame is in a thread already."""
    threads = Threads(2)
    threads.may_begin.set()
    monkeypatch.setattr(frames_consumer, "pool", lambda: threads)
    consumer = FramesConsumer()
    consumer.watch = asyncio.create_task(asyncio.sleep(0))
    closing, may_end, running = asyncio.Event(), threading.Event(), Counter[str]()

    async def close(_code: int) -> None:
        closing.set()

    def look() -> Answer:
        running["now"] += 1
        running["most"] = max(running["most"], running["now"])
        if running["seen"]:
            assert may_end.wait(10)
        running["now"] -= 1
        running["seen"] += 1
        return Answer(1, 0.0, 0.0, LiveFrame(1, 1, ()))

    monkeypatch.setattr(consumer, "close", close)
    monkeypatch.setattr(consumer.stream, "process_next", look)
    await consumer.receive(bytes_data=b"one")
    await closing.wait()
    await consumer.receive(bytes_data=b"another")
    await asyncio.sleep(0.05)
    may_end.set()
    assert consumer.work is not None
    await consumer.work
    assert running["most"] == 1
