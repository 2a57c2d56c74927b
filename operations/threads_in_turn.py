"""A few threads for many people: whoever asks something of them is served in turn.

A pool of threads serves who comes first, so one who asks for much keeps everybody else waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from operations import kept_connections, turns


class Threads:
    """A few threads, and the line in front of them.

    A network address has half of them at most, and a browser or program there one.
    """

    def __init__(self, n: int, name: str) -> None:
        self.n = n
        self.pool = ThreadPoolExecutor(n, name, initializer=kept_connections.keep)
        self.line = turns.Line(n, of_place=max(1, n // 2), of_caller=1)
        #: What waits or is being done; nobody else holds on to it.
        self.tasks: set[asyncio.Task[None]] = set()

    def of(self, place: str, caller: str) -> Executor:
        """Does one thing after the other for somebody, as they come, in whichever thread is free.

        asgiref wants one thread, for what keeps its state there. Here that is a thread's connection
        to the database alone, which holds nothing from one question to the next.
        """
        return _InTurn(self, place, caller)


class _InTurn(Executor):
    def __init__(self, threads: Threads, place: str, caller: str) -> None:
        self._threads, self._place, self._caller = threads, place, caller

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do something in turn; for the event loop whose thread calls."""
        future: Future[Any] = Future()
        task = asyncio.create_task(self._do(partial(work, *args, **kwargs), future))
        self._threads.tasks.add(task)
        task.add_done_callback(self._threads.tasks.discard)
        # Nobody stands in the line for whom nobody waits any more.
        future.add_done_callback(lambda ended: ended.cancelled() and task.cancel())
        return future

    async def _do(self, work: Callable[[], Any], future: Future[Any]) -> None:
        threads = self._threads
        await threads.line.enter(self._place, self._caller)
        try:
            if not future.set_running_or_notify_cancel():
                return  # Nobody waits for it any more.
            result = await asyncio.get_running_loop().run_in_executor(threads.pool, work)
        # Whatever it is, it is told to who asked, as any executor does.
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
        finally:
            threads.line.leave(self._place, self._caller)
