"""The threads in which the sockets of one web process ask the database, and whose turn is next.

By default all of them share one thread, and one slow question of somebody's keeps everybody else's
sockets waiting: those that open, those that are looked after, those that end. So they share a few,
one socket has one at a time at most, and people are served in turn.
"""

from __future__ import annotations

from typing import Any

from asgiref.sync import ThreadSensitiveContext

from accounts.sockets import address_of, caller_of
from operations.threads_in_turn import Threads


class SocketThreads:
    """An ASGI application for WebSockets that asks the database in these threads."""

    def __init__(self, application: Any, threads: Threads) -> None:
        self._application, self._threads = application, threads

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        executor = self._threads.of(address_of(scope), caller_of(scope))
        # Never left: what a socket began may outlive it, to save what was seen. It is the context
        # of one task, which the server has made for this socket.
        await ThreadSensitiveContext(executor=executor).__aenter__()
        await self._application(scope, receive, send)
