"""Celery tasks that compare models."""

from __future__ import annotations

import logging
from typing import Any

from celery import Task, shared_task
from kombu.exceptions import OperationalError

from recognition.model_registry import comparison
from recognition.models import ModelComparison

logger = logging.getLogger(__name__)

#: Redis serves 0 first and 9 last.
LOWEST_PRIORITY = 9


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
