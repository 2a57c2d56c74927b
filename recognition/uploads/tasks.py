"""Celery tasks of uploads: an id comes in, one function is called, its result is saved."""

from __future__ import annotations

import logging
from typing import Any

from celery import Task, shared_task
from django.db import transaction
from django.utils.translation import gettext_noop
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from recognition.jobs import queues
from recognition.models import Upload
from recognition.uploads import heat_maps, notifications, processing, retention
from recognition.vision.errors import ImageError
from recognition.webhooks.tasks import enqueue_deliveries

logger = logging.getLogger(__name__)

#: Seconds before an attempt that failed for a passing reason is repeated.
RETRY_DELAY = 3
#: How many times longer an upload may wait in a long queue before it counts as lost.
LONG_QUEUE_PATIENCE = 5


@shared_task(bind=True, name="recognition.process_upload")
def process_upload(self: Task[Any, Any], upload_id: str) -> None:
    """Look for faces in an upload and label them; safe to run any number of times."""
    # Here and not above: the parent of a worker's children must stay small, and a library
    # with threads of its own does not survive a fork.
    from recognition.model_registry.inference import predict_upload

    upload = processing.claim(upload_id, str(self.request.id))
    if upload is None:
        _announce(upload_id)
        return
    _announce(upload_id)
    try:
        recognition, model_version = predict_upload(upload)
    except ImageError as error:
        processing.fail(upload, error.code, str(error))
    except FileNotFoundError:
        processing.fail(upload, "photo_missing", gettext_noop("The photo is no longer stored."))
    except Exception:  # Including SoftTimeLimitExceeded: another attempt may go better.
        logger.exception("attempt %d at upload %s failed", upload.attempts, upload_id)
        if processing.release(upload):
            came_from = (self.request.delivery_info or {}).get("routing_key")
            enqueue(upload_id, came_from or queues.INTERACTIVE, delay=RETRY_DELAY)
    else:
        processing.complete(upload, recognition, model_version)
    try:
        retention.apply_to(upload_id)
    except Exception:  # The sweep does it later; the result stands either way.
        logger.exception("the photo of upload %s could not be removed", upload_id)
    _announce(upload_id)
    enqueue_deliveries()


@shared_task(name="recognition.explain_face", ignore_result=True)
def explain_face(prediction_id: int) -> None:
    """Draw a face's heat map and keep it; safe to run any number of times.

    One that fails is not tried again by itself: whoever asked can ask again.
    """
    from recognition.model_registry.inference import draw_heat_map

    prediction = heat_maps.lacking().select_related("upload").filter(pk=prediction_id).first()
    if prediction is None:
        return
    try:
        png = draw_heat_map(prediction)
    except FileNotFoundError:
        return  # The photo was deleted meanwhile.
    if heat_maps.store(prediction, png):
        _announce(str(prediction.upload_id))


@shared_task(name="recognition.sweep_uploads", ignore_result=True)
def sweep_uploads() -> None:
    """Queue again what lost its task."""
    overdue = requeue_overdue()
    if overdue:
        logger.info("queued %d overdue uploads again", overdue)


@shared_task(name="recognition.sweep_photos", ignore_result=True)
def sweep_photos() -> None:
    """Delete photos that were kept for as long as their owners chose."""
    removed = retention.remove_due_photos()
    if removed:
        logger.info("removed %d photos that were due", removed)


def requeue_overdue() -> int:
    """Queue again the uploads whose task was lost; returns how many."""
    overdue = processing.take_overdue(patience=_patience())
    for upload_id, queue in queues.queue_of_each(overdue).items():
        enqueue(upload_id, queue)
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


def enqueue_on_commit(upload_id: str, queue: str = queues.INTERACTIVE) -> None:
    """Queue an upload once its row is in the database."""
    transaction.on_commit(lambda: enqueue(upload_id, queue))


def enqueue(upload_id: str, queue: str = queues.INTERACTIVE, *, delay: float = 0) -> None:
    """Hand an upload to the workers; without Redis, leave it to the sweep."""
    try:
        process_upload.apply_async((upload_id,), queue=queue, countdown=delay)
    except OperationalError:
        logger.warning("the queue cannot be reached; the sweep will take upload %s", upload_id)
        Upload.objects.filter(pk=upload_id, status=Upload.Status.PENDING).update(queued_at=None)


def enqueue_explanation(prediction_id: int) -> bool:
    """Ask for a face's heat map; False where the queue cannot be reached."""
    try:
        explain_face.apply_async((prediction_id,))
    except OperationalError:
        logger.warning("the queue cannot be reached; no heat map of face %d", prediction_id)
        return False
    return True


def _announce(upload_id: str) -> None:
    row = Upload.objects.filter(pk=upload_id).values_list("owner_id", "status").first()
    if row is not None:
        notifications.upload_changed(row[0], upload_id, row[1])
