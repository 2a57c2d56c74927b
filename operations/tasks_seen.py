"""Each task as a line of the log and as measured times: how long it waited and how long it took."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import Task
from celery.signals import before_task_publish, task_postrun, task_prerun
from django.conf import settings

from operations import metrics

logger = logging.getLogger(__name__)

#: Header of a message: when it was put into its queue, in seconds since the epoch.
QUEUED_AT = "queued_at"
_started: dict[str, float] = {}


@before_task_publish.connect
def stamp(headers: dict[str, Any], **kwargs: Any) -> None:
    headers.setdefault(QUEUED_AT, time.time())


@task_prerun.connect
def begins(task_id: str, task: Task[Any, Any], **kwargs: Any) -> None:
    _started[task_id] = time.perf_counter()
    queued_at = task.request.get(QUEUED_AT)
    # One that was to wait for a while (a repeated attempt) tells nothing about the queue.
    if queued_at is not None and task.request.eta is None:
        waited = max(0.0, time.time() - float(queued_at))
        metrics.TASK_WAITED.observe(waited, _queue(task))


@task_postrun.connect
def ended(task_id: str, task: Task[Any, Any], state: str | None = None, **kwargs: Any) -> None:
    seconds = time.perf_counter() - _started.pop(task_id, time.perf_counter())
    metrics.TASKS.observe(seconds, task.name, state or "unknown")
    # What the scheduler sends every few seconds would hide the rest.
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    logger.log(
        logging.DEBUG if task.name in scheduled else logging.INFO,
        "%s %s",
        task.name,
        state,
        extra={
            "task": task.name,
            "task_id": task_id,
            "state": state,
            "milliseconds": round(seconds * 1000, 1),
        },
    )


def _queue(task: Task[Any, Any]) -> str:
    return str((task.request.delivery_info or {}).get("routing_key") or "unknown")
