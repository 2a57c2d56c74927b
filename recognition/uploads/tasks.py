"""Celery tasks of uploads: an id comes in, one function is called, its result is saved."""

from __future__ import annotations

import logging
from typing import Any

from celery import Task, shared_task
from redis.exceptions import RedisError

from operations.redis_client import connect
from recognition.jobs import messages
from recognition.jobs.running import run
from recognition.models import Upload, UploadQuerySet
from recognition.uploads import heat_maps, overdue, processing, retention, trash, waiting

logger = logging.getLogger(__name__)

#: Seconds for which photos come before a heat map.
PEOPLE_FIRST_SECONDS = 5.0
#: Seconds of a turn of a sweep, which ends before where somebody waits for a photo; and seconds for
#: which others' work comes before the rest of it.
TURN_SECONDS, PAUSE_SECONDS = 3.0, 5


@shared_task(bind=True, name=Upload.task)
def process_upload(self: Task[Any, Any], upload_id: str) -> None:
    """Look for faces in an upload and label them; safe to run any number of times."""
    came_from = (self.request.delivery_info or {}).get("routing_key")
    run(
        Upload.objects.all(),
        upload_id,
        processing.process,
        delay=waiting.RETRY_DELAY,
        queue=came_from,
    )


@shared_task(name=heat_maps.TASK, ignore_result=True)
def explain_face(*_face: int) -> None:
    """Draw the heat map whose turn it is; safe to run any number of times.

    One that fails is not tried again by itself: whoever asked can ask again. It takes longer than
    a photo, so photos that others wait for come first.

    Args:
        _face: of messages that the site's last version left behind.
    """
    heat_maps.come()
    waiting.look_at_some(PEOPLE_FIRST_SECONDS)
    heat_maps.draw_next()


@shared_task(name="recognition.sweep_uploads", ignore_result=True)
def sweep_uploads() -> None:
    """Queue again what lost its task."""
    if count := overdue.requeue():
        logger.info("queued %d overdue uploads again", count)
    if heat_maps.waiting().exists():
        heat_maps.call()


@shared_task(name="recognition.sweep_photos", ignore_result=True)
def sweep_photos() -> None:
    """Delete photos that were kept for as long as their owners chose."""
    if removed := retention.remove_due_photos(waiting.turn(TURN_SECONDS)):
        logger.info("removed %d photos that were due", removed)
        _go_on("recognition.sweep_photos", retention.due_photos())


@shared_task(name="recognition.sweep_trash", ignore_result=True)
def sweep_trash() -> None:
    """Delete what was long enough in the trash: by itself, so that it holds up no retention."""
    if emptied := trash.empty_due(waiting.turn(TURN_SECONDS)):
        logger.info("deleted %d photos that were long enough in the trash", emptied)
        _go_on("recognition.sweep_trash", trash.due())


def _go_on(task: str, left: UploadQuerySet) -> None:
    """Have a sweep that got on continue after a pause where there is more.

    Each tick of the scheduler begins one: where two are under way, one of them ends here.
    """
    if left.exists() and _is_only_one(task):
        messages.send(task, delay=PAUSE_SECONDS)


def _is_only_one(task: str) -> bool:
    try:
        with connect() as client:
            # Gone by the time that it comes back.
            key, seconds = f"visage:goes-on:{task}", PAUSE_SECONDS - 1
            return bool(client.set(key, 1, nx=True, ex=seconds))
    except RedisError:
        return True  # It cannot be sent, either.
