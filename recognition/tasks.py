"""Celery tasks: an id comes in, one function is called, its result is saved."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from celery import Task, shared_task
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from recognition import (
    account_deletion,
    comparison,
    data_export,
    heat_maps,
    notifications,
    processing,
    queues,
    retention,
)
from recognition.models import IdempotencyKey, ModelComparison, Upload
from recognition.vision.errors import ImageError
from recognition.webhooks import deliveries

logger = logging.getLogger(__name__)

#: Seconds before an attempt that failed for a passing reason is repeated.
RETRY_DELAY = 3
#: Seconds for which one task sends messages to webhooks before it makes room for another.
DELIVERY_SECONDS = 25
#: Hours for which a repeated request is known by its key.
IDEMPOTENCY_HOURS = 24
#: How many times longer an upload may wait in a long queue before it counts as lost.
LONG_QUEUE_PATIENCE = 5
#: Redis serves 0 first and 9 last.
LOWEST_PRIORITY = 9


@shared_task(bind=True, name="recognition.process_upload")
def process_upload(self: Task[Any, Any], upload_id: str) -> None:
    """Look for faces in an upload and label them; safe to run any number of times."""
    # Here and not above: the parent of a worker's children must stay small, and a library
    # with threads of its own does not survive a fork.
    from recognition.inference import predict_upload

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
    from recognition.inference import draw_heat_map

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


@shared_task(name="recognition.build_export", soft_time_limit=3600, time_limit=3660)
def build_export(export_id: str) -> None:
    """Prepare an export of everything; safe to run any number of times."""
    data_export.build(export_id)


@shared_task(name="recognition.sweep_exports", ignore_result=True)
def sweep_exports() -> None:
    """Queue again the exports whose task was lost, and delete those that have expired."""
    for export_id in data_export.take_overdue():
        enqueue_export(export_id)
    expired = data_export.delete_expired()
    if expired:
        logger.info("deleted %d expired exports", expired)


def enqueue_export(export_id: str) -> None:
    """Hand an export to the workers; without Redis, leave it to the sweep."""
    try:
        build_export.apply_async((export_id,))
    except OperationalError:
        logger.warning("the queue cannot be reached; the sweep will take export %s", export_id)
        data_export.leave_to_sweep(export_id)


@shared_task(name="recognition.delete_account", soft_time_limit=240, time_limit=250)
def delete_account(user_id: int) -> None:
    """Delete a closed account; safe to run any number of times."""
    account_deletion.delete(user_id)


@shared_task(name="recognition.sweep_closed_accounts", ignore_result=True)
def sweep_closed_accounts() -> None:
    """Queue again the deletions whose task was lost."""
    for user_id in account_deletion.overdue():
        enqueue_deletion(user_id)


def enqueue_deletion(user_id: int) -> None:
    """Hand a closed account to the workers; without Redis, leave it to the sweep."""
    try:
        delete_account.apply_async((user_id,))
    except OperationalError:
        logger.warning("the queue cannot be reached; the sweep will delete account %d", user_id)


@shared_task(bind=True, name="recognition.compare_models")
def compare_models(self: Task[Any, Any], comparison_id: str) -> None:
    """Replay some stored uploads through a candidate, and queue the next slice."""
    if comparison.run_slice(comparison_id, str(self.request.id)):
        enqueue_comparison(comparison_id)


@shared_task(name="recognition.sweep_comparisons", ignore_result=True)
def sweep_comparisons() -> None:
    """Queue again the comparisons whose next slice was lost."""
    for comparison_id in comparison.take_overdue():
        enqueue_comparison(comparison_id)


def enqueue_comparison(comparison_id: str) -> None:
    """Hand the next slice of a comparison to the workers, after all photos that wait."""
    try:
        compare_models.apply_async((comparison_id,), priority=LOWEST_PRIORITY)
    except OperationalError:
        logger.warning("the queue cannot be reached; the sweep will take %s", comparison_id)
        ModelComparison.objects.filter(pk=comparison_id).update(queued_at=None)


@shared_task(name="recognition.deliver_webhooks", ignore_result=True)
def deliver_webhooks() -> None:
    """Send what is due to webhooks. Any number of these may run at a time."""
    end = time.monotonic() + DELIVERY_SECONDS
    while deliveries.deliver_next():
        if time.monotonic() > end:
            enqueue_deliveries()
            return


@shared_task(name="recognition.sweep_api", ignore_result=True)
def sweep_api() -> None:
    """Forget answered requests and the webhooks' log after their time."""
    before = timezone.now() - timedelta(hours=IDEMPOTENCY_HOURS)
    IdempotencyKey.objects.filter(created_at__lt=before).delete()
    deliveries.delete_old()


def enqueue_deliveries() -> None:
    """Have what is due sent soon; without Redis, leave it to the scheduler."""
    if not deliveries.is_any_due():
        return
    try:
        deliver_webhooks.apply_async(expires=DELIVERY_SECONDS)
    except OperationalError:
        logger.warning("the queue cannot be reached; webhooks wait for the scheduler")


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
