"""The life of a message to a webhook, as transitions of its row.

A row is written in the transaction that makes its news true, so no news is lost. It is due at
`next_attempt_at`; whoever moves that time forward has claimed it, and a claim that nobody ends
becomes due again by itself. So each message is sent at least once, and twice only where a worker
died between the answer and the row.
"""

from __future__ import annotations

import json
import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from recognition.models import Upload, Webhook, WebhookDelivery, WebhookQuerySet
from recognition.webhooks import sending

logger = logging.getLogger(__name__)

UPLOAD_FINISHED = "upload.finished"
PING = "ping"

#: Seconds after the first, second, … failed attempt; after the last of them it is given up.
BACK_OFF = (10, 60, 5 * 60, 30 * 60, 2 * 60 * 60)
#: Seconds after which a claim counts as a dead worker's.
CLAIM_SECONDS = 60
#: Messages given up one after the other until the webhook is switched off.
MAXIMUM_GIVEN_UP = 10
#: Days for which the log is kept.
KEEP_DAYS = 30


def record_finished(upload: Upload) -> None:
    """Note for each of the owner's webhooks that an upload is done or has failed.

    To be called in the transaction that finished it.
    """
    hooks = Webhook.objects.filter(owner_id=upload.owner_id, is_active=True)
    if ids := list(hooks.values_list("pk", flat=True)):
        news = {"upload": _upload_as_dict(upload)}
        WebhookDelivery.objects.bulk_create(_delivery(pk, UPLOAD_FINISHED, news) for pk in ids)


def record_ping(webhook: Webhook) -> WebhookDelivery:
    """Note a message that only tests the address."""
    delivery = _delivery(webhook.pk, PING, {})
    delivery.save()
    return delivery


def is_any_due() -> bool:
    return WebhookDelivery.objects.filter(next_attempt_at__lte=timezone.now()).exists()


def deliver_next() -> bool:
    """Send the message that has been due the longest; False where there was none."""
    claimed = _claim_next()
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
    WebhookDelivery.objects.filter(webhook__in=ids, next_attempt_at__isnull=False).update(
        next_attempt_at=None, error=gettext_noop("The webhook was switched off.")
    )
    return count


def delete_old() -> int:
    """Delete the log of long ago; returns how many messages."""
    before = timezone.now() - timedelta(days=KEEP_DAYS)
    return WebhookDelivery.objects.filter(created_at__lt=before).delete()[0]


def _delivery(webhook_id: uuid.UUID, event: str, news: dict[str, Any]) -> WebhookDelivery:
    now = timezone.now()
    pk = uuid.uuid4()
    payload = {"delivery": str(pk), "event": event, "created_at": now.isoformat(), **news}
    return WebhookDelivery(
        pk=pk, webhook_id=webhook_id, event=event, payload=payload, next_attempt_at=now
    )


def _upload_as_dict(upload: Upload) -> dict[str, Any]:
    """What a receiver learns: labels and numbers, neither the picture nor its file name."""
    return {
        "id": str(upload.pk),
        "status": upload.status,
        "error": {"code": upload.error_code} if upload.error_code else None,
        "model_version": upload.model_version,
        "finished_at": upload.finished_at.isoformat() if upload.finished_at else None,
        "faces": [
            {
                "id": face.pk,
                "label": face.effective_label,
                "predicted_label": face.label,
                "confidence": face.confidence,
                "uncertain": face.uncertain,
            }
            for face in upload.predictions.faces()
        ],
    }


def _claim_next() -> WebhookDelivery | None:
    """Take one that is due, before any other worker does."""
    while True:
        now = timezone.now()
        due = (
            WebhookDelivery.objects.filter(next_attempt_at__lte=now)
            .select_related("webhook")
            .order_by("next_attempt_at")
            .first()
        )
        if due is None:
            return None
        until = now + timedelta(seconds=CLAIM_SECONDS)
        if _held(due).update(attempts=F("attempts") + 1, next_attempt_at=until):
            due.attempts += 1
            due.next_attempt_at = until
            return due


def _held(delivery: WebhookDelivery) -> Any:
    """The row, provided that nobody else has moved it on."""
    return WebhookDelivery.objects.filter(
        pk=delivery.pk, attempts=delivery.attempts, next_attempt_at=delivery.next_attempt_at
    )


def _note(delivery: WebhookDelivery, outcome: sending.Outcome) -> None:
    """Write how an attempt went, and when the next one is due."""
    now = timezone.now()
    if outcome.arrived:
        _held(delivery).update(
            status_code=outcome.status_code, error="", delivered_at=now, next_attempt_at=None
        )
        return
    next_attempt_at = _next_attempt(delivery.attempts, now)
    if not _held(delivery).update(
        status_code=outcome.status_code,
        error=outcome.error[:300],
        next_attempt_at=next_attempt_at,
    ):
        return
    if next_attempt_at is None:
        _switch_off_if_dead(delivery.webhook)
    else:
        # The others for this address wait as long, so that one slow receiver does not take the
        # time of everybody else's.
        delivery.webhook.deliveries.filter(next_attempt_at__lte=now).update(
            next_attempt_at=next_attempt_at
        )


def _next_attempt(attempts: int, now: datetime) -> datetime | None:
    if attempts > len(BACK_OFF):
        return None
    return now + timedelta(seconds=BACK_OFF[attempts - 1])


def _switch_off_if_dead(webhook: Webhook) -> None:
    ended = webhook.deliveries.filter(next_attempt_at=None).order_by("-created_at", "-pk")
    latest = list(ended.values_list("delivered_at", flat=True)[:MAXIMUM_GIVEN_UP])
    if len(latest) == MAXIMUM_GIVEN_UP and not any(latest):
        switch_off(Webhook.objects.filter(pk=webhook.pk))
        logger.info("webhook %s switched off after too many failures", webhook.pk)
