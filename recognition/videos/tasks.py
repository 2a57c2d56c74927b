"""Celery tasks of videos."""

from __future__ import annotations

import logging

from celery import shared_task

from recognition.models import Video
from recognition.videos import keeping, processing

logger = logging.getLogger(__name__)


# A slice takes seconds, but one without full pictures in between first has to come to its place.
@shared_task(name=Video.task, soft_time_limit=3600, time_limit=3660)
def process_video(video_id: str) -> None:
    """Look at a slice of a video; safe to run any number of times."""
    processing.run_slice(video_id)


@shared_task(name="recognition.sweep_videos", ignore_result=True)
def sweep_videos() -> None:
    """Queue again the videos whose task was lost."""
    if count := Video.objects.sweep():
        logger.info("queued %d overdue videos again", count)


@shared_task(name="recognition.sweep_kept_videos", ignore_result=True)
def sweep_kept_videos() -> None:
    """Delete videos that were kept for as long as their owners chose, and parts left behind."""
    # Here and not above: the parent of a worker's children must stay small.
    from recognition.videos import transfers

    if count := keeping.remove_due():
        logger.info("deleted %d videos that were due", count)
    if count := transfers.forget_old():
        logger.info("forgot %d videos that were sent in part", count)
