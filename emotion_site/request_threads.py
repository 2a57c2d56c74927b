"""The threads in which one web process answers requests: kept for the next, not made for each."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler

from operations import kept_connections


class RequestThreads(ASGIHandler):
    """Django's handler of requests, each of which has a thread of its own until it is answered.

    By itself it starts a thread for each request, and another one that waits for its end. Here half
    as many stay as there are turns (``PAGES_AT_ONCE``), each with a connection to the database.
    """

    def __init__(self) -> None:
        super().__init__()
        self._idle: list[ThreadPoolExecutor] = []
        self._most_idle = max(1, settings.PAGES_AT_ONCE // 2)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        thread = self._idle.pop() if self._idle else _thread()
        # Never left: it is the context of one task, which the server has made for this request.
        await ThreadSensitiveContext(executor=thread).__aenter__()
        try:
            await self.handle(scope, receive, send)
        except BaseException:
            # Given up, or its answer failed half-way. What it began goes on in the thread, and its
            # turn lasts until that is done.
            await asyncio.wrap_future(thread.submit(kept_connections.let_go))
            self._keep(thread)
            raise
        self._keep(thread)

    def _keep(self, thread: ThreadPoolExecutor) -> None:
        if len(self._idle) < self._most_idle:
            self._idle.append(thread)
        else:
            thread.submit(kept_connections.let_go)
            thread.shutdown(wait=False)


def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "request", initializer=kept_connections.keep)
