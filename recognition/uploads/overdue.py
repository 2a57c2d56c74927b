"""Uploads whose message was lost are queued again, without going before people."""

from __future__ import annotations

from collections import Counter

from redis.exceptions import RedisError

from recognition.jobs import queues
from recognition.jobs.picking import MANY_WAITING
from recognition.models import Upload

#: How many times longer an upload may wait in a long queue before it counts as lost.
LONG_QUEUE_PATIENCE = 5


def requeue() -> int:
    """Queue again the uploads whose message was lost; returns how many."""
    overdue = Upload.objects.take_overdue(patience=_patience())
    for upload_id, queue in _queue_of_each(overdue).items():
        Upload.objects.send(upload_id, queue=queue)
    return len(overdue)


def _patience() -> int:
    """More where there are as many messages as uploads that wait, so that none seems lost.

    Otherwise each photo of a large batch would be queued again every minute that it waits.
    """
    try:
        n_messages = sum(queues.lengths().values())
    except RedisError:
        return 1
    is_long = n_messages >= Upload.objects.filter(status=Upload.Status.PENDING).count() > 0
    return LONG_QUEUE_PATIENCE if is_long else 1


def _queue_of_each(upload_ids: list[str]) -> dict[str, str]:
    """The queue for uploads whose message was lost, and with it the queue that it was in."""
    owners = dict(Upload.objects.filter(pk__in=upload_ids).values_list("pk", "owner_id"))
    waiting = Counter(
        Upload.objects.filter(
            owner_id__in=set(owners.values()), status=Upload.Status.PENDING
        ).values_list("owner_id", flat=True)
    )
    return {
        str(upload_id): queues.BULK if waiting[owner] > MANY_WAITING else queues.INTERACTIVE
        for upload_id, owner in owners.items()
    }
