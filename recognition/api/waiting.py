"""``?wait=SECONDS``: the answer comes when the result is there, or when the time is over.

The view itself is done before the waiting begins: what waits is a coroutine that looks at the rows
now and then, at growing intervals, and holds neither a database connection nor a transaction in
between. Results are as near as the rows, so no message can be missed.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import classonlymethod
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from operations import kept_connections
from operations.turns import stepped_out
from recognition.models import Upload

MAXIMUM_SECONDS = 30
#: Seconds until the rows are looked at for the second time; then ever later, up to the last.
FIRST_INTERVAL = 0.1
GROWTH = 1.5
LONGEST_INTERVAL = 2.0

#: Of one person; a script that asks for more is answered at once.
MAXIMUM_OF_ONE = 50

#: Requests that wait, by person.
_waiting: Counter[int] = Counter()


class WaitOptions(serializers.Serializer):
    wait = serializers.IntegerField(
        min_value=0,
        max_value=MAXIMUM_SECONDS,
        default=0,
        help_text="Seconds to wait for the result. Where it is not there by then, the answer is "
        "202 with the state so far.",
    )


@dataclass(frozen=True, slots=True)
class Pending:
    """What a response waits for.

    Attributes:
        owner_id: who asks.
        ids: of the uploads.
        seconds: at most.
        refresh: writes the state at the end into the response.
    """

    owner_id: int
    ids: list[UUID]
    seconds: int
    refresh: Callable[[], None]


class WaitingResponse(Response):
    """A response that may be held back until its uploads are finished."""

    pending: Pending | None = None


class WaitMixin:
    """For viewsets: holds a :class:`WaitingResponse` back as long as it asks for."""

    @classonlymethod
    def as_view(cls, actions: Any = None, **initkwargs: Any) -> Any:
        view = super().as_view(actions, **initkwargs)  # type: ignore[misc]

        @functools.wraps(view)
        async def waiting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response: HttpResponse = await sync_to_async(view)(request, *args, **kwargs)
            pending = getattr(response, "pending", None)
            if pending is not None and pending.seconds:
                await _wait(pending)
                await sync_to_async(pending.refresh)()
            return response

        return waiting


def seconds_to_wait(request: Request) -> int:
    """What ``?wait=`` asks for; 0 without it."""
    options = WaitOptions(data=request.query_params)
    options.is_valid(raise_exception=True)
    return int(options.validated_data["wait"])


async def _wait(pending: Pending) -> None:
    whose = pending.owner_id
    if _waiting.total() >= settings.API_MAXIMUM_WAITING or _waiting[whose] >= MAXIMUM_OF_ONE:
        return
    _waiting[whose] += 1
    try:
        end = time.monotonic() + pending.seconds
        interval = FIRST_INTERVAL
        while await sync_to_async(_any_unfinished)(pending.ids):
            left = end - time.monotonic()
            if left <= 0:
                return
            async with stepped_out():
                await asyncio.sleep(min(interval, left))
            interval = min(interval * GROWTH, LONGEST_INTERVAL)
    finally:
        _waiting[whose] -= 1
        if not _waiting[whose]:
            del _waiting[whose]


def _any_unfinished(ids: list[UUID]) -> bool:
    try:
        return Upload.objects.filter(pk__in=ids).unfinished().exists()
    finally:
        kept_connections.let_go()
