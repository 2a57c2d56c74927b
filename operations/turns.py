"""Turns at something that there is little of, shared fairly between those who wait for one.

Whoever waits is somebody (``caller``) at some place (``place``), such as a browser at a network
address. A free turn goes to the place that has the fewest, there to the caller that has the fewest,
and among equals to who has had none for longest. No place and no caller ever has all of them.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar

_Waiting = OrderedDict[str, deque[asyncio.Future[None]]]

#: The turn in which the present request is worked on; None where nobody counts.
_current: ContextVar[Turn | None] = ContextVar("turn", default=None)


#: What goes on in turns, whether or not somebody still waits for it.
_working: set[asyncio.Task[None]] = set()


class Line:
    """Who has a turn, and who waits for one. For one event loop, whose thread alone uses it.

    Args:
        turns: that there are.
        of_place: of them, those that one place may have at a time.
        of_caller: of these, those that one caller may.
    """

    def __init__(self, turns: int, of_place: int, of_caller: int) -> None:
        self._free = turns
        self._of_place, self._of_caller = of_place, of_caller
        self._places: Counter[str] = Counter()
        self._callers: Counter[tuple[str, str]] = Counter()
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()

    def turn(self, place: str, caller: str) -> Turn:
        """One that is not had yet."""
        return Turn(place, caller, self)

    async def enter(self, place: str, caller: str) -> None:
        """Wait for a turn, which lasts until :meth:`leave`."""
        here = self._waiting.setdefault(place, OrderedDict())
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        here.setdefault(caller, deque()).append(mine)
        self._admit()
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.leave(place, caller)
            else:
                self._forget(place, caller, mine)
            raise

    def leave(self, place: str, caller: str) -> None:
        """Let somebody else have the turn."""
        self._free += 1
        self._places[place] -= 1
        self._callers[place, caller] -= 1
        # Those who are gone leave nothing behind.
        self._places += Counter()
        self._callers += Counter()
        self._admit()

    def _admit(self) -> None:
        while self._free and (found := self._next()) is not None:
            place, caller = found
            mine = self._waiting[place][caller].popleft()
            self._waiting.move_to_end(place)
            self._waiting[place].move_to_end(caller)
            self._tidy(place, caller)
            if mine.done():
                continue  # Broken off, and not there to say so yet.
            self._free -= 1
            self._places[place] += 1
            self._callers[place, caller] += 1
            mine.set_result(None)

    def _next(self) -> tuple[str, str] | None:
        """Whose turn it is; None where nobody waits who may have one."""
        for place in sorted(self._waiting, key=self._places.__getitem__):
            if self._places[place] >= self._of_place:
                return None
            caller = min(self._waiting[place], key=lambda one: self._callers[place, one])
            if self._callers[place, caller] < self._of_caller:
                return place, caller
        return None

    def _forget(self, place: str, caller: str, mine: asyncio.Future[None]) -> None:
        here = self._waiting.get(place)
        if here is not None and mine in here.get(caller, ()):
            here[caller].remove(mine)
            self._tidy(place, caller)

    def _tidy(self, place: str, caller: str) -> None:
        here = self._waiting[place]
        if not here[caller]:
            del here[caller]
        if not here:
            del self._waiting[place]


class Turn:
    """Somebody's turn, which can be given back and waited for again.

    Args:
        place: where they are.
        caller: who they are there.
        lines: in which they need a turn, the scarcer first; everybody names them in one order.
    """

    def __init__(self, place: str, caller: str, *lines: Line) -> None:
        self._place, self._caller, self._lines = place, caller, lines
        self._is_had = self._is_over = False

    async def take(self) -> None:
        """Wait for it; whoever comes when it is over goes on without."""
        if self._is_had or self._is_over:
            return
        entered: list[Line] = []
        try:
            for line in self._lines:
                await line.enter(self._place, self._caller)
                entered.append(line)
        except asyncio.CancelledError:
            self._leave(entered)
            raise
        if self._is_had or self._is_over:
            self._leave(entered)
        else:
            self._is_had = True

    def give_back(self) -> None:
        if self._is_had:
            self._is_had = False
            self._leave(self._lines)

    def _leave(self, lines: Iterable[Line]) -> None:
        for line in lines:
            line.leave(self._place, self._caller)

    def end(self) -> None:
        """Give it back for good.

        A request that is broken off may leave a task behind that has stepped out: were it to take
        the turn again, nobody would give that back any more.
        """
        self._is_over = True
        self.give_back()


@asynccontextmanager
async def taken(turn: Turn) -> AsyncIterator[None]:
    """Have the turn inside, and let :func:`stepped_out` know of it."""
    await turn.take()
    token = _current.set(turn)
    try:
        yield
    finally:
        _current.reset(token)
        turn.end()


async def work_in(turn: Turn, work: Callable[[], Awaitable[None]]) -> None:
    """Do something in a turn, which lasts until all of it is done.

    A server breaks a request off whose client is gone; the thread that it runs in works on with its
    connection to the database, and the turn is that thread's. Broken off for the second time,
    nobody waits for it here.
    """
    await turn.take()

    async def inside() -> None:
        async with taken(turn):
            await work()

    task = asyncio.create_task(inside())
    _working.add(task)
    task.add_done_callback(_working.discard)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.done():
            raise
        task.cancel()
        await asyncio.shield(task)


@asynccontextmanager
async def stepped_out() -> AsyncIterator[None]:
    """Let others have the present request's turn inside, where it only waits and holds nothing."""
    turn = _current.get()
    if turn is None:
        yield
        return
    turn.give_back()
    yield
    # Not where the waiting was broken off: such a request does nothing more.
    await turn.take()
