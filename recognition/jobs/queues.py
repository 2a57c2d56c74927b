"""Three queues: short work with a promise, what somebody waits for, and what may take its time.

A worker takes from the first named in its ``-Q`` as long as there is anything in it
(``queue_order_strategy`` in the settings), so that a batch of thousands does not keep the next
person waiting for more than the photo that is being worked on.
"""

from __future__ import annotations

from collections import Counter

from operations.redis_client import connect
from recognition.models import Upload

#: Short, and promised within a minute: deleting an account, and looking for what was lost.
URGENT = "urgent"
#: What a person looks at while it is done: a photo of the form, one retry, a single API call.
INTERACTIVE = "interactive"
#: Everything else: API batches, re-runs, retention, exports, comparisons.
BULK = "bulk"
#: Somebody with more photos than this that wait is not waiting for each of them.
MANY_WAITING = 20


def lengths() -> dict[str, int]:
    """Messages that no worker has taken yet, by queue of photos.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with connect() as client:
        return {name: int(client.llen(name)) for name in (INTERACTIVE, BULK)}


def queue_of_each(upload_ids: list[str]) -> dict[str, str]:
    """The queue for uploads whose task was lost, and with it the queue that it was in."""
    owners = dict(Upload.objects.filter(pk__in=upload_ids).values_list("pk", "owner_id"))
    waiting = Counter(
        Upload.objects.filter(
            owner_id__in=set(owners.values()), status=Upload.Status.PENDING
        ).values_list("owner_id", flat=True)
    )
    return {
        str(upload_id): BULK if waiting[owner] > MANY_WAITING else INTERACTIVE
        for upload_id, owner in owners.items()
    }
