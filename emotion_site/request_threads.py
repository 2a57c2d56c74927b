"""The threads in which one web process answers requests: kept for the next, not made for each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler

from emotion_site import kept_connections


class RequestThreads(ASGIHandler):
    """Django's handler of requests, each of which has a thread of its own until it is answered.

    By itself it starts a thread for each request, and another one that waits for its end. There
    are as many here as requests were worked on at the same time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._idle: list[ThreadPoolExecutor] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        thread = self._idle.pop() if self._idle else _thread()
        # Never left: it is the context of one task, which the server has made for this request.
        await ThreadSensitiveContext(executor=thread).__aenter__()
        await self.handle(scope, receive, send)
        # Not where the request was given up: what it began goes on there, and the thread ends with
        # the last that knows it.
        self._idle.append(thread)


def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "request", initializer=kept_connections.keep)
