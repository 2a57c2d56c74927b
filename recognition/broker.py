"""Celery's queues in Redis: how long they are, and taking messages out of them unread."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection

from django.conf import settings
from kombu.transport.redis import Channel

from operations.redis_client import connect

#: Messages that are looked at at once.
CHUNK = 1000


def forget(ids: Collection[str]) -> int:
    """Delete waiting messages of tasks whose first argument is one of `ids`; returns how many.

    Those that a worker has already taken are its own business.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    removed = 0
    with connect() as client:
        for queue in settings.CELERY_TASK_QUEUES:
            # New messages come in at the head, which moves the others towards the end: some are
            # seen twice, none is missed, as long as nothing is removed while looking.
            found: set[bytes] = set()
            start = 0
            while chunk := client.lrange(queue.name, start, start + CHUNK - 1):
                found.update(message for message in chunk if _first_argument(message) in ids)
                start += CHUNK
            for message in found:
                removed += client.lrem(queue.name, 0, message)
    return removed


def length(timeout: float) -> int:
    """How many messages wait for a worker, in all queues and of all priorities.

    Raises:
        redis.RedisError: Redis does not answer within `timeout` seconds.
    """
    with connect(timeout) as client:
        pipeline = client.pipeline(transaction=False)
        for queue in settings.CELERY_TASK_QUEUES:
            for priority in Channel.priority_steps:
                # The first priority has the queue's own name.
                pipeline.llen(f"{queue.name}{Channel.sep}{priority}" if priority else queue.name)
        return sum(pipeline.execute())


def _first_argument(message: bytes) -> str | None:
    try:
        arguments = json.loads(base64.b64decode(json.loads(message)["body"]))[0]
        return str(arguments[0])
    except (ValueError, KeyError, IndexError, TypeError):
        return None
