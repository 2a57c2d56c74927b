"""Three queues: short work with a promise, what somebody waits for, and what may take its time.

A worker takes from the first named in its ``-Q`` as long as there is anything in it
(``queue_order_strategy`` in the settings), so that a batch of thousands does not keep the next
person waiting for more than the photo that is being worked on.
"""

from __future__ import annotations

from operations.redis_client import connect

#: Short, and promised within a minute: deleting an account, and looking for what was lost.
URGENT = "urgent"
#: What a person looks at while it is done: a photo of the form, one retry, a single API call.
INTERACTIVE = "interactive"
#: Everything else: API batches, re-runs, retention, exports, comparisons.
BULK = "bulk"


def lengths() -> dict[str, int]:
    """Messages that no worker has taken yet, by queue of photos.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with connect() as client:
        return {name: int(client.llen(name)) for name in (INTERACTIVE, BULK)}
