"""One attempt at a job, whatever comes of it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from recognition.jobs.job import AnyJob, ClaimLost, JobQuerySet

logger = logging.getLogger(__name__)


def run(
    jobs: JobQuerySet[AnyJob],
    pk: str,
    work: Callable[[AnyJob], None],
    *,
    delay: float | Callable[[AnyJob], float] = 0,
    queue: str | None = None,
) -> bool:
    """Claim a job and do it; safe to run any number of times.

    Args:
        jobs: among which it is.
        pk: what the message names.
        work: does it and ends it. What it raises is taken as a passing fault, after which the
            job waits for another attempt; :class:`ClaimLost` for one that is no longer its own.
        delay: seconds before that attempt, or what tells them of the job that failed.
        queue: for that attempt; by default the model's.

    Returns:
        Whether `work` came to its end.
    """
    job = jobs.claim(pk)
    if job is None:
        return False
    try:
        work(job)
    except ClaimLost:
        return False
    except Exception:  # Including SoftTimeLimitExceeded: another attempt may go better.
        name = job._meta.model_name
        logger.exception("attempt %d at %s %s failed", job.attempts, name, job.pk)
        jobs.release(job, delay=delay(job) if callable(delay) else delay, queue=queue)
        return False
    return True
