"""Redis, for whoever asks it something without Celery or Channels."""

from __future__ import annotations

import redis
from django.conf import settings


def connect(timeout: float | None = None) -> redis.Redis:
    """A client that waits so many seconds for Redis, for the caller to close.

    Args:
        timeout: by default :data:`settings.REDIS_TIMEOUT`.
    """
    seconds = settings.REDIS_TIMEOUT if timeout is None else timeout
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=seconds, socket_connect_timeout=seconds
    )
