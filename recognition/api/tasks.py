"""The Celery task that forgets what the programming interface remembered for a time."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from recognition.models import IdempotencyKey
from recognition.webhooks import deliveries

#: Hours for which a repeated request is known by its key.
IDEMPOTENCY_HOURS = 24


@shared_task(name="recognition.sweep_api", ignore_result=True)
def sweep_api() -> None:
    """Forget answered requests and the webhooks' log after their time."""
    before = timezone.now() - timedelta(hours=IDEMPOTENCY_HOURS)
    IdempotencyKey.objects.filter(created_at__lt=before).delete()
    deliveries.delete_old()
