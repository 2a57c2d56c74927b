"""Three queues: short work with a promise, what somebody waits for, and what may take its time.

A worker takes from the first named in its ``-Q`` as long as there is anything in it
(``queue_order_strategy`` in the settings), so that a batch of thousands does not keep the next
person waiting for more than the photo that is being worked on. Priorities come before queues: what
is short, such as a heat map or a sweep, does not wait behind photos, and photos not behind exports.
"""

from __future__ import annotations

from operations.redis_client import connect
from recognition.jobs import broker

#: Short, or in short turns, and soon: deleting what is due, and looking for what was lost.
URGENT = "urgent"
#: What a person looks at while it is done: a photo of the form, one retry, a single API call.
INTERACTIVE = "interactive"
#: Everything else: API batches, re-runs, exports, comparisons.
BULK = "bulk"

#: Redis serves priority 0 first and 9 last; kombu tells 0, 3, 6 and 9 apart.
AFTER_SHORT_WORK, AFTER_PHOTOS, LAST = 3, 6, 9


def lengths() -> dict[str, int]:
    """Messages that no worker has taken yet, by queue of photos.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with connect() as client:
        return {
            name: sum(int(client.llen(part)) for part in broker.lists(name))
            for name in (INTERACTIVE, BULK)
        }
