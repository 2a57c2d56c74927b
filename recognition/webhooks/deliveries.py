"""The life of a message to a webhook, as transitions of its row.

A row is written in the transaction that makes its news true, so no news is lost. A claim that
nobody ends becomes due again by itself. So each message is sent at least once, and twice only
where a worker died between the answer and the row.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from recognition import faces
from recognition.jobs import messages
from recognition.jobs.job import UNFINISHED
from recognition.models import (
    Upload,
    Video,
    Webhook,
    WebhookDelivery,
    WebhookQuerySet,
)
from recognition.models.webhooks import BACK_OFF
from recognition.webhooks import sending

logger = logging.getLogger(__name__)

UPLOAD_FINISHED = "upload.finished"
VIDEO_FINISHED = "video.finished"
PING = "ping"
#: News of what is somebody's own; other parts of the site send news of other people.
OF_OWN_THINGS = (UPLOAD_FINISHED, VIDEO_FINISHED, PING)

#: Name of the Celery task that sends what is due, and seconds for which one of them does.
TASK, SECONDS = "recognition.deliver_webhooks", 25
#: Messages given up one after the other until the webhook is switched off.
MAXIMUM_GIVEN_UP = 10
#: Days for which the log is kept.
KEEP_DAYS = 30


def record_finished(upload: Upload) -> None:
    """Note for each of the owner's webhooks that an upload is done or has failed.

    To be called in the transaction that finished it.
    """
    record(upload.owner_id, UPLOAD_FINISHED, upload.pk, lambda: {"upload": _upload_as_dict(upload)})


def record_video_finished(video: Video) -> None:
    """The same of a video. What was seen in it is its recording, too much for a message."""
    record(video.owner_id, VIDEO_FINISHED, video.pk, lambda: {"video": _video_as_dict(video)})


def record(
    owner_id: int, event: str, subject: uuid.UUID, news: Callable[[], dict[str, Any]]
) -> None:
    """Note news for each of a person's webhooks, in the transaction that makes it true.

    Args:
        owner_id: whose webhooks.
        event: its name, such as ``upload.finished``.
        subject: of what it is news; see :func:`forget`.
        news: what is told beside it; asked for only where there is a webhook.
    """
    hooks = Webhook.objects.filter(owner_id=owner_id, is_active=True).order_by("pk")
    # Locked, so that one that is deleted meanwhile does not undo the news.
    if ids := list(hooks.select_for_update(no_key=True).values_list("pk", flat=True)):
        told = news()
        WebhookDelivery.objects.bulk_create(_delivery(pk, event, told, subject) for pk in ids)
        enqueue()


def record_ping(webhook: Webhook) -> WebhookDelivery:
    """Note a message that only tests the address.

    Raises:
        Webhook.DoesNotExist: the webhook was deleted meanwhile.
    """
    with transaction.atomic():
        Webhook.objects.select_for_update(no_key=True).get(pk=webhook.pk)
        delivery = _delivery(webhook.pk, PING, {})
        delivery.save()
        enqueue()
    return delivery


def enqueue() -> None:
    """Have what is due sent soon; without Redis, the scheduler does it."""
    messages.send_on_commit(TASK, expires=SECONDS)


def deliver_next() -> bool:
    """Send the message that has been due the longest; False where there was none."""
    claimed = WebhookDelivery.objects.claim()
    if claimed is None:
        return False
    outcome = sending.send(
        claimed.webhook.url,
        claimed.webhook.secret,
        json.dumps(claimed.payload, ensure_ascii=False).encode(),
        {"X-Visage-Event": claimed.event, "X-Visage-Delivery": str(claimed.pk)},
    )
    _note(claimed, outcome)
    return True


def switch_off(webhooks: WebhookQuerySet) -> int:
    """Switch webhooks off, and give up what waits for them; returns how many were on."""
    ids = list(webhooks.values_list("pk", flat=True))
    count = Webhook.objects.filter(pk__in=ids, is_active=True).update(is_active=False)
    WebhookDelivery.objects.filter(webhook__in=ids).stop(
        WebhookDelivery.Status.FAILED, error=gettext_noop("The webhook was turned off.")
    )
    return count


def forget(subjects: Iterable[uuid.UUID], owner_id: int | None = None) -> None:
    """Delete what webhooks were told, or are still to be told, of what is deleted for good.

    To be called in the transaction that deletes it.

    Args:
        subjects: of what.
        owner_id: whose webhooks alone, to whom it no longer belongs; None for everybody's.
    """
    told = WebhookDelivery.objects.filter(subject__in=subjects)
    if owner_id is not None:
        told = told.filter(webhook__owner=owner_id)
    told.delete()


def delete_old() -> int:
    """Delete the log of long ago; returns how many messages."""
    before = timezone.now() - timedelta(days=KEEP_DAYS)
    return WebhookDelivery.objects.filter(created_at__lt=before).delete()[0]


def _delivery(
    webhook_id: uuid.UUID, event: str, news: dict[str, Any], subject: uuid.UUID | None = None
) -> WebhookDelivery:
    now = timezone.now()
    pk = uuid.uuid4()
    payload = {"delivery": str(pk), "event": event, "created_at": now.isoformat(), **news}
    return WebhookDelivery(
        pk=pk, webhook_id=webhook_id, event=event, payload=payload, subject=subject, queued_at=now
    )


def _upload_as_dict(upload: Upload) -> dict[str, Any]:
    """What a receiver learns: labels and numbers, neither the picture nor its file name."""
    return {
        "id": str(upload.pk),
        "status": upload.status,
        "error": {"code": upload.error_code} if upload.error_code else None,
        "model_version": upload.model_version,
        "finished_at": upload.finished_at.isoformat() if upload.finished_at else None,
        "faces": [faces.stored(face, faces.WEBHOOK_FIELDS) for face in upload.predictions.faces()],
    }


def _video_as_dict(video: Video) -> dict[str, Any]:
    return {
        "id": str(video.pk),
        "status": video.status,
        "error": {"code": video.error_code} if video.error_code else None,
        "recording": str(video.recording_id),
        "seconds": video.position_ms / 1000,
        "finished_at": video.finished_at.isoformat() if video.finished_at else None,
    }


def _note(delivery: WebhookDelivery, outcome: sending.Outcome) -> None:
    """Write how an attempt went, and when the next one is due."""
    now = timezone.now()
    deliveries = WebhookDelivery.objects
    if outcome.arrived:
        deliveries.finish(delivery, status_code=outcome.status_code, error="", delivered_at=now)
        return
    reason: dict[str, Any] = {"status_code": outcome.status_code, "error": outcome.error[:300]}
    if delivery.attempts > len(BACK_OFF):
        if deliveries.fail(delivery, **reason):
            _switch_off_if_dead(delivery.webhook)
        return
    delay = BACK_OFF[delivery.attempts - 1]
    if deliveries.release(delivery, delay=delay, **reason):
        # The others for this address wait as long, so that one slow receiver does not take the
        # time of everybody else's.
        others = delivery.webhook.deliveries.filter(
            status=WebhookDelivery.Status.PENDING, queued_at__lte=now
        )
        others.update(queued_at=now + timedelta(seconds=delay))


def _switch_off_if_dead(webhook: Webhook) -> None:
    ended = webhook.deliveries.exclude(status__in=UNFINISHED).order_by("-created_at", "-pk")
    latest = list(ended.values_list("status", flat=True)[:MAXIMUM_GIVEN_UP])
    if latest == [WebhookDelivery.Status.FAILED] * MAXIMUM_GIVEN_UP:
        switch_off(Webhook.objects.filter(pk=webhook.pk))
        logger.info("webhook %s switched off after too many failures", webhook.pk)
