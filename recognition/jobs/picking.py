"""Which row a worker takes: the one place that decides whose turn it is."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recognition.jobs.job import JobQuerySet


def pick(jobs: JobQuerySet[Any], named: uuid.UUID | str | None) -> uuid.UUID | str | None:
    """The id of the job to claim; None where there is nothing to do.

    Args:
        jobs: among which to choose.
        named: what the message asks for; None for whichever has been due the longest.
    """
    if named is not None:
        return named
    first: uuid.UUID | None = jobs.due().order_by("queued_at").values_list("pk", flat=True).first()
    return first
