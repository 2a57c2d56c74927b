"""The Celery task that sends what is due to webhooks."""

from __future__ import annotations

import time

from celery import shared_task

from recognition.webhooks import deliveries


@shared_task(name=deliveries.TASK, ignore_result=True)
def deliver_webhooks() -> None:
    """Send what is due to webhooks. Any number of these may run at a time."""
    end = time.monotonic() + deliveries.SECONDS
    while deliveries.deliver_next():
        if time.monotonic() > end:
            deliveries.enqueue()
            return
