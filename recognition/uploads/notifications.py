"""Tell open pages that an upload or an export changed. A hint: a page that misses it asks."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

from asgiref.sync import async_to_sync
from celery.signals import worker_process_init
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction
from django.dispatch import receiver

from recognition.jobs.job import changed
from recognition.models import DataExport, Upload

logger = logging.getLogger(__name__)

#: A worker's, which has no other; web processes send in theirs.
_own_loop: asyncio.AbstractEventLoop | None = None


@worker_process_init.connect
def _keep_a_loop(**_signal: Any) -> None:
    """One for all hints: each new one would connect to Redis, for as long as a photo takes."""
    global _own_loop
    _own_loop = asyncio.new_event_loop()
    threading.Thread(target=_own_loop.run_forever, name="hints", daemon=True).start()


def group_of(user_id: int) -> str:
    """Name of the channel group of one person's open pages."""
    return f"uploads.{user_id}"


@receiver(changed, sender=Upload)
@receiver(changed, sender=DataExport)
def announce(job: Upload | DataExport, **kwargs: Any) -> None:
    """Send the hint once the change is in the database."""
    transaction.on_commit(lambda: upload_changed(job.owner_id, str(job.pk), job.status))


def upload_changed(user_id: int, upload_id: str, status: str) -> None:
    """Send the hint, and carry on without it if Redis does not answer."""
    message = {"type": "upload.changed", "id": upload_id, "status": status}
    try:
        if _own_loop is None:
            async_to_sync(_send)(group_of(user_id), message)
        else:
            hint = _send(group_of(user_id), message)
            asyncio.run_coroutine_threadsafe(hint, _own_loop).result()
    except Exception as error:  # Redis's client, its sockets and asyncio each have their own.
        logger.warning("could not announce a change: %s", type(error).__name__)


async def _send(group: str, message: dict[str, str]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    await asyncio.wait_for(layer.group_send(group, message), settings.REDIS_TIMEOUT)
