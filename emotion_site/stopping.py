"""A web process that is told to end ends what it works on first."""

from __future__ import annotations

import asyncio
from typing import Any

from daphne import server
from twisted.internet import defer

#: Seconds for requests and sockets to end by themselves, then for everything else that goes on:
#: both together are less than what runs a site waits until it kills a process.
GRACE, LAST_GRACE = 4.0, 4.0


class StoppingServer(server.Server):
    """Daphne's, which waits for all of its requests and sockets, and not until the first has ended.

    The thread of a request that waits for a coroutine, as one with ``?wait=`` does, would else wait
    for an event loop that is gone, and the process for that thread: for ever.
    """

    def kill_all_applications(self) -> Any:
        """What Daphne calls before it stops the event loop, and what it waits for."""
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._end_all()))

    async def _end_all(self) -> None:
        found = (details.get("application_instance") for details in self.connections.values())
        await _cancel([task for task in found if task is not None], GRACE)
        await _cancel(asyncio.all_tasks() - {asyncio.current_task()}, LAST_GRACE)


async def _cancel(tasks: Any, seconds: float) -> None:
    """Cancel what has not ended, and wait for it."""
    going_on = [task for task in tasks if not task.done()]
    for task in going_on:
        task.cancel()
    if going_on:
        await asyncio.wait(going_on, timeout=seconds)
