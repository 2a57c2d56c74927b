"""Photos that somebody waits for, looked at by a worker that is busy with something longer."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db.models import Count
from redis.exceptions import RedisError

from recognition.jobs import queues
from recognition.jobs.job import JobQuerySet
from recognition.jobs.picking import MANY_WAITING
from recognition.jobs.running import run
from recognition.models import Upload
from recognition.uploads import processing

#: Seconds before a photo that failed for a passing reason is looked at again.
RETRY_DELAY = 3


def somebody_waits() -> bool:
    """Whether a photo or heat map that a person waits for has not found a worker."""
    try:
        return queues.lengths()[queues.INTERACTIVE] > 0
    except RedisError:
        return False


def turn(seconds: float) -> Callable[[], bool]:
    """Of work that nobody waits for: whether its seconds are over, or somebody waits."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until or somebody_waits()


def of_few() -> JobQuerySet[Upload]:
    """Photos of people who have few that wait: no batch."""
    due = Upload.objects.due().order_by()
    people = due.values("owner_id").annotate(count=Count("pk")).filter(count__lte=MANY_WAITING)
    return due.filter(owner_id__in=people.values("owner_id"))


def look_at_one(waiting: JobQuerySet[Upload]) -> bool:
    """Look at the one that was queued first, or at one of whoever's turn it is more.

    Returns:
        Whether there was one, and it came to its end.
    """
    photo = waiting.order_by("queued_at").values_list("pk", flat=True).first()
    if photo is None:
        return False
    return run(Upload.objects.all(), str(photo), processing.process, delay=RETRY_DELAY)


def look_at_some(seconds: float) -> None:
    """Look at photos of people who have few that wait, for so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and look_at_one(of_few()):
        pass
