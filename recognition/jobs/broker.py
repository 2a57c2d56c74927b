"""Celery's queues in Redis: how long they are, and taking messages out of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection

from django.conf import settings
from kombu.transport.redis import Channel

from operations.redis_client import connect

#: Messages that are looked at at once.
CHUNK = 1000
#: Of a longer list none are taken out: to take out one has Redis look at all.
LONGEST = 2000


def queue_names() -> list[str]:
    """Every queue that some worker takes from."""
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    return sorted({queue.name for queue in settings.CELERY_TASK_QUEUES} | routed)


def lists(queue: str) -> list[str]:
    """The lists in Redis that make up a queue, the one that is emptied first coming first."""
    # The first priority has the queue's own name.
    return [f"{queue}{Channel.sep}{step}" if step else queue for step in Channel.priority_steps]


def forget(ids: Collection[str]) -> int:
    """Delete waiting messages of tasks whose first argument is one of `ids`; returns how many.

    Those that a worker has already taken are its own business, and so are those in a long list:
    they find no row, and whoever takes one does what is due instead.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    removed = 0
    with connect() as client:
        for part in (part for queue in settings.CELERY_TASK_QUEUES for part in lists(queue.name)):
            # New messages come in at the head, which moves the others towards the end: some are
            # seen twice, none is missed, as long as nothing is removed while looking.
            if client.llen(part) > LONGEST:
                continue
            found: set[bytes] = set()
            start = 0
            while chunk := client.lrange(part, start, start + CHUNK - 1):
                found.update(message for message in chunk if _first_argument(message) in ids)
                start += CHUNK
            for message in found:
                removed += client.lrem(part, 0, message)
    return removed


def length(timeout: float) -> int:
    """How many messages wait for a worker, in all queues and of all priorities.

    Raises:
        redis.RedisError: Redis does not answer within `timeout` seconds.
    """
    with connect(timeout) as client:
        pipeline = client.pipeline(transaction=False)
        for queue in queue_names():
            for name in lists(queue):
                pipeline.llen(name)
        return sum(pipeline.execute())


def _first_argument(message: bytes) -> str | None:
    try:
        arguments = json.loads(base64.b64decode(json.loads(message)["body"]))[0]
        return str(arguments[0])
    except (ValueError, KeyError, IndexError, TypeError):
        return None
