"""Threads whose next work is of whoever has had the least of their time.

Frames cost from a hundredth to a quarter of a second, which whoever sends them decides. As they
come, or in turn, three people with dear ones leave everybody else a frame a second; by time,
somebody with ordinary ones waits for the one that is being looked at, and comes next.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

Result = TypeVar("Result")
#: A network address, and who is there.
Sender = tuple[str, str]
_Work = tuple[Callable[[], Any], "Future[Any]"]
#: Seconds of a thread that whoever is new begins behind the others. Else they would come before all
#: who are known, and somebody who is somebody new for each frame, for ever.
ENTRANCE = 0.1
#: Seconds that the others must have had more than somebody who is away until they are new again.
REMEMBERED = 1.0


@dataclass(slots=True)
class _Share:
    """What somebody has of the threads, and who is part of them.

    Start-time fair queueing (Goyal, Vin and Cheng 1997, "Start-Time Fair Queueing", section 2):
    `seconds` is what they have had, but whoever comes again has no less than the one had who was
    served last: nobody saves up time by staying away.
    """

    seconds: float = 0.0
    n_running: int = 0
    waiting: deque[_Work] = field(default_factory=deque)
    parts: dict[str, _Share] = field(default_factory=dict)
    #: What the part had that was served last.
    served: float = 0.0

    @property
    def waits(self) -> bool:
        return bool(self.waiting) or any(part.waits for part in self.parts.values())

    @property
    def is_busy(self) -> bool:
        return self.n_running > 0 or self.waits

    def part(self, name: str) -> _Share:
        found = self.parts.get(name)
        if found is None:
            found = self.parts[name] = _Share(self.served + ENTRANCE)
        elif not found.is_busy:
            found.seconds = max(found.seconds, self.served)
        return found

    def next_part(self) -> str | None:
        """Whose turn it is among the parts."""
        waiting = [name for name, part in self.parts.items() if part.waits]
        return min(waiting, key=self._order) if waiting else None

    def _order(self, name: str) -> tuple[int, float]:
        return self.parts[name].n_running, self.parts[name].seconds

    def tidy(self) -> None:
        """Forget who is long gone, and everybody once nobody wants anything."""
        if any(part.is_busy for part in self.parts.values()):
            self.parts = {
                name: part
                for name, part in self.parts.items()
                if part.is_busy or part.seconds > self.served - REMEMBERED
            }
        else:
            self.parts, self.served = {}, 0.0


class FairThreads:
    """So many threads, shared between network addresses, and there between people.

    Args:
        n: threads.
        initializer: what each does first.
        clock: seconds that a thread has worked.
    """

    def __init__(
        self,
        n: int,
        initializer: Callable[[], Any] | None = None,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._threads = ThreadPoolExecutor(n, "live", initializer)
        self._clock = clock
        self._lock = threading.Lock()
        self._all = _Share()

    def submit(self, sender: Sender, work: Callable[[], Result]) -> Future[Result]:
        """Do something for a sender once it is their turn, unless that is cancelled before."""
        place, caller = sender
        future: Future[Result] = Future()
        with self._lock:
            self._all.part(place).part(caller).waiting.append((work, future))
        self._threads.submit(self._do_next)
        return future

    def _do_next(self) -> None:
        found = self._begin_next()
        if found is None:
            return
        (place, caller), (work, future) = found
        began = self._clock()
        tell: Callable[[], None]
        try:
            tell = partial(future.set_result, work())
        # Whatever it is, it is told to who asked, as any executor does.
        except BaseException as error:
            tell = partial(future.set_exception, error)
        # Before who asked comes again.
        self._charge(place, caller, self._clock() - began)
        tell()

    def _begin_next(self) -> tuple[Sender, _Work] | None:
        """Take what is next; None where all that waited was cancelled."""
        with self._lock:
            while (place := self._all.next_part()) is not None:
                there = self._all.parts[place]
                caller = there.next_part()
                assert caller is not None
                share = there.parts[caller]
                work = share.waiting.popleft()
                if work[1].set_running_or_notify_cancel():
                    self._all.served, there.served = there.seconds, share.seconds
                    there.n_running += 1
                    share.n_running += 1
                    return (place, caller), work
            self._tidy()
        return None

    def _charge(self, place: str, caller: str, seconds: float) -> None:
        with self._lock:
            there = self._all.parts[place]
            for share in (there, there.parts[caller]):
                share.n_running -= 1
                share.seconds += seconds
            self._tidy()

    def _tidy(self) -> None:
        for there in self._all.parts.values():
            there.tidy()
        self._all.tidy()
