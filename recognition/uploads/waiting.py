"""Photos that somebody waits for, looked at by a worker that is busy with something longer."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db.models import Count
from redis.exceptions import RedisError

from recognition.jobs import queues
from recognition.jobs.job import ClaimLost, JobQuerySet
from recognition.jobs.picking import MANY_WAITING
from recognition.jobs.running import run
from recognition.models import Upload
from recognition.uploads import processing

#: Seconds before a photo that failed for a passing reason is looked at again.
RETRY_DELAY = 3
#: Seconds between two looks whether others wait while a photo is looked at, and those in all that
#: are theirs: with its own, they stay within the limit of the photo's task.
AGAIN_SECONDS, OTHERS_SECONDS = 1.0, 15.0


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


def look_at_one(waiting: JobQuerySet[Upload], among: JobQuerySet[Upload] | None = None) -> bool:
    """Look at the one that was queued first, or at one of whoever's turn it is more.

    Args:
        waiting: those that may be first.
        among: those whose turn it may be instead; by default all.

    Returns:
        Whether there was one, and it came to its end.
    """
    photo = waiting.order_by("queued_at").values_list("pk", flat=True).first()
    if photo is None:
        return False
    jobs = Upload.objects.all() if among is None else among
    return run(jobs, str(photo), processing.process, delay=RETRY_DELAY)


def look_at_some(seconds: float) -> None:
    """Look at photos of people who have few that wait, for so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and look_at_one(of_few()):
        pass


class BetweenFaces:
    """What a worker does between the faces of a photo that has hundreds: what others wait for.

    Such a photo takes ten seconds or more, and whoever sends one after the other would keep all
    workers from everybody else. What is looked at in between is not interrupted itself.
    """

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._again_at = time.monotonic() + AGAIN_SECONDS
        self._seconds_left = OTHERS_SECONDS

    def __call__(self) -> None:
        """Look at what waits, if it is time for it.

        Raises:
            ClaimLost: the photo is somebody else's now, or was deleted.
        """
        began = time.monotonic()
        if began < self._again_at:
            return
        if not Upload.objects.extend(self._upload):
            raise ClaimLost
        others = Upload.objects.exclude(owner_id=self._upload.owner_id)
        until = began + self._seconds_left
        while time.monotonic() < until:
            if not look_at_one(of_few().exclude(owner_id=self._upload.owner_id), others):
                break
        self._seconds_left -= time.monotonic() - began
        self._again_at = time.monotonic() + AGAIN_SECONDS
