"""Celery tasks that compare models."""

from __future__ import annotations

from celery import shared_task

from recognition.model_registry import comparison
from recognition.models import ModelComparison


@shared_task(name=ModelComparison.task)
def compare_models(comparison_id: str) -> None:
    """Replay some stored uploads through a candidate, and queue the next slice."""
    comparison.run_slice(comparison_id)


@shared_task(name="recognition.sweep_comparisons", ignore_result=True)
def sweep_comparisons() -> None:
    """Queue again the comparisons whose next slice was lost."""
    ModelComparison.objects.sweep()
