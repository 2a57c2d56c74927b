"""When whose work was begun last, kept for an hour in Redis.

Rows tell it as well, but not all of it: they may be deleted as soon as they are done, and a video
is worked on in a hundred slices before it ends. While Redis is away rows have to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.utils import timezone
from redis.exceptions import RedisError

from operations.redis_client import connect

#: For how long it counts that somebody was served; before that is as good as never. Longer than it
#: takes to serve everybody once, be they dozens with heavy photos.
WITHIN = timedelta(hours=1)
_TIMEOUT = 0.25


def note(kind: str, owner: Any) -> None:
    """Something of this kind of somebody's is begun now."""
    with suppress(RedisError):
        _client(settings.REDIS_URL).set(_key(kind, owner), timezone.now().timestamp(), ex=WITHIN)


def last(kind: str, owners: Iterable[Any]) -> dict[Any, datetime]:
    """When each of some people was served last, as far as it is known."""
    asked = list(owners)
    values: list[Any] = []
    with suppress(RedisError):
        values = list(_client(settings.REDIS_URL).mget([_key(kind, owner) for owner in asked]))
    found = zip(asked, values, strict=False)
    return {owner: datetime.fromtimestamp(float(at), UTC) for owner, at in found if at}


@cache
def _client(_url: str) -> redis.Redis:
    """One for the process, whose connection stays from one photo to the next."""
    return connect(_TIMEOUT)


def _key(kind: str, owner: Any) -> str:
    return f"visage:served:{kind}:{owner}"
