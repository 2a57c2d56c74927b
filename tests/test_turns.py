"""Turns that are shared fairly between those who wait."""

from __future__ import annotations

import asyncio
import threading

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async

from operations.turns import Line, Turn, stepped_out, taken, work_in


class Crowd:
    """Requests at a line of 4 turns: 3 at one place, 2 for one caller there."""

    def __init__(self) -> None:
        self.line = Line(4, of_place=3, of_caller=2)
        self.served: list[str] = []
        self.turns: dict[str, Turn] = {}

    async def come(self, name: str, place: str, caller: str) -> asyncio.Task[None]:
        """Somebody comes and has got as far as they get when this returns."""
        turn = self.turns[name] = self.line.turn(place, caller)

        async def wait() -> None:
            await turn.take()
            self.served.append(name)

        task = asyncio.create_task(wait())
        await self.settle()
        return task

    async def go(self, name: str) -> None:
        self.turns[name].give_back()
        await self.settle()

    @staticmethod
    async def settle() -> None:
        for _ in range(5):
            await asyncio.sleep(0)


async def test_who_breaks_off_as_a_turn_comes_free_takes_none_along() -> None:
    crowd = Crowd()
    for number in range(2):
        await crowd.come(f"in {number}", "one", "browser")
    waiting = [await crowd.come(f"waits {number}", "one", "browser") for number in range(3)]
    for one in waiting[:2]:
        one.cancel()
    # Before the tasks that were broken off have run again.
    await crowd.go("in 0")
    await crowd.go("in 1")
    assert crowd.served[2:] == ["waits 2"]
    await crowd.go("waits 2")
    for number in range(2):
        await crowd.come(f"late {number}", "one", "browser")
    assert crowd.served[3:] == ["late 0", "late 1"]


async def test_nobody_has_all_and_who_has_fewest_is_next() -> None:
    crowd = Crowd()
    for number in range(5):
        await crowd.come(f"greedy {number}", "one", "greedy")
    assert crowd.served == ["greedy 0", "greedy 1"]
    await crowd.come("neighbour 0", "one", "neighbour")
    await crowd.come("neighbour 1", "one", "neighbour")
    # The place has three of the four; the last is for others.
    assert crowd.served[2:] == ["neighbour 0"]
    await crowd.come("far 0", "two", "far")
    await crowd.come("far 1", "two", "far")
    assert crowd.served[3:] == ["far 0"]
    # A place with fewer goes first, then a caller with fewer, however long others wait.
    await crowd.go("greedy 0")
    assert crowd.served[4:] == ["far 1"]
    # Among equals, who has had none for longest.
    await crowd.go("far 0")
    await crowd.go("greedy 1")
    assert crowd.served[5:] == ["greedy 2", "neighbour 1"]
    await crowd.go("neighbour 0")
    assert crowd.served[7:] == ["greedy 3"]


async def test_who_leaves_the_line_takes_no_turn() -> None:
    crowd = Crowd()
    for number in range(2):
        await crowd.come(f"first {number}", "one", "a")
    leaving = await crowd.come("leaving", "one", "a")
    await crowd.come("staying", "one", "a")
    leaving.cancel()
    await crowd.settle()
    await crowd.go("first 0")
    assert crowd.served[2:] == ["staying"]


async def test_a_turn_that_came_too_late_goes_to_the_next() -> None:
    crowd = Crowd()
    for number in range(2):
        await crowd.come(f"first {number}", "one", "a")
    leaving = await crowd.come("leaving", "one", "a")
    await crowd.come("staying", "one", "a")
    # Given and broken off before the one who waited has heard of it.
    crowd.turns["first 0"].give_back()
    leaving.cancel()
    await crowd.settle()
    assert crowd.served[2:] == ["staying"]


async def test_who_only_waits_lets_others_have_the_turn() -> None:
    line = Line(1, of_place=1, of_caller=1)
    order: list[str] = []
    may_go_on = asyncio.Event()

    async def waits() -> None:
        async with taken(line.turn("one", "a")):
            order.append("begins")
            async with stepped_out():
                await may_go_on.wait()
            order.append("goes on")

    async def works() -> None:
        async with taken(line.turn("two", "b")):
            order.append("works")
            may_go_on.set()
            await Crowd.settle()
            order.append("is done")

    await asyncio.gather(waits(), works())
    assert order == ["begins", "works", "is done", "goes on"]


@pytest.mark.parametrize("waits_in_line", [False, True])
async def test_what_a_broken_off_request_leaves_behind_keeps_no_turn(waits_in_line: bool) -> None:
    """Django's handler goes without the task that answers, which may wait for a slow reader."""
    line = Line(1, of_place=1, of_caller=1)
    may_go_on, is_done = asyncio.Event(), asyncio.Event()

    async def answer() -> None:
        async with stepped_out():
            await may_go_on.wait()
        is_done.set()

    async def request() -> None:
        async with taken(line.turn("one", "a")):
            await asyncio.wait([asyncio.create_task(answer())])

    broken_off = asyncio.create_task(request())
    await Crowd.settle()
    other = line.turn("two", "b")
    if waits_in_line:
        await other.take()
        may_go_on.set()
        await Crowd.settle()
    broken_off.cancel()
    await Crowd.settle()
    may_go_on.set()
    other.give_back()
    await asyncio.wait_for(is_done.wait(), 10)
    async with asyncio.timeout(10), taken(line.turn("two", "b")):
        """There it is."""


@pytest.mark.parametrize("n_cancelled", [1, 2, 3])
async def test_a_thread_that_works_on_keeps_the_turn_of_its_request(n_cancelled: int) -> None:
    """A server breaks a request off again and again, and cannot break off a thread."""
    line = Line(1, of_place=1, of_caller=1)
    works, may_end = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def page() -> None:
        loop.call_soon_threadsafe(works.set)
        may_end.wait(60)

    async def application() -> None:
        async with ThreadSensitiveContext():
            await sync_to_async(page)()

    request = asyncio.create_task(work_in(line.turn("one", "a"), application))
    await asyncio.wait_for(works.wait(), 60)
    for _ in range(n_cancelled):
        request.cancel()
        await Crowd.settle()
    other = asyncio.create_task(line.turn("two", "b").take())
    await Crowd.settle()
    assert not other.done()
    may_end.set()
    await asyncio.wait_for(other, 60)
    assert request.cancelled() or not request.done()


async def test_who_needs_two_turns_leaves_those_of_others() -> None:
    few, many = Line(1, of_place=1, of_caller=1), Line(2, of_place=2, of_caller=2)
    first, second = (Turn("one", who, few, many) for who in "ab")
    await first.take()
    waiting = asyncio.create_task(second.take())
    await Crowd.settle()
    # The other turn of the two is not for those who wait for one of the few.
    async with asyncio.timeout(10), taken(many.turn("two", "c")):
        assert not waiting.done()
    # Whoever has one of the few, and leaves while waiting for the other, gives it back.
    others = [many.turn("two", "c"), many.turn("three", "d")]
    await others[0].take()
    first.give_back()
    await asyncio.wait_for(waiting, 10)
    second.give_back()
    await others[1].take()
    leaving = asyncio.create_task(first.take())
    await Crowd.settle()
    leaving.cancel()
    await Crowd.settle()
    others[0].give_back()
    await asyncio.wait_for(second.take(), 10)


async def test_a_failure_gives_the_turn_back() -> None:
    line = Line(1, of_place=1, of_caller=1)
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            async with taken(line.turn("one", "a")):
                raise ValueError("broken")
    async with stepped_out():
        """Where nobody counts, nothing happens."""
