"""The Celery task that sends what is due to webhooks."""

from __future__ import annotations

import logging
import time

from celery import shared_task
from kombu.exceptions import OperationalError

from recognition.webhooks import deliveries

logger = logging.getLogger(__name__)

#: Seconds for which one task sends messages to webhooks before it makes room for another.
DELIVERY_SECONDS = 25


@shared_task(name="recognition.deliver_webhooks", ignore_result=True)
def deliver_webhooks() -> None:
    """Send what is due to webhooks. Any number of these may run at a time."""
    end = time.monotonic() + DELIVERY_SECONDS
    while deliveries.deliver_next():
        if time.monotonic() > end:
            enqueue_deliveries()
            return


def enqueue_deliveries() -> None:
    """Have what is due sent soon; without Redis, leave it to the scheduler."""
    if not deliveries.is_any_due():
        return
    try:
        deliver_webhooks.apply_async(expires=DELIVERY_SECONDS)
    except OperationalError:
        logger.warning("the queue cannot be reached; webhooks wait for the scheduler")
