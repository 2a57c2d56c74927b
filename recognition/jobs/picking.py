"""Which row a worker takes: the one place that decides whose turn it is."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet


def pick(due: QuerySet[Any], named: uuid.UUID | str | None) -> uuid.UUID | str | None:
    """The id of the job to claim; None where there is nothing to do.

    Args:
        due: the jobs whose turn has come.
        named: what the message asks for; None for whichever has been due the longest.
    """
    if named is not None:
        return named
    first: uuid.UUID | None = due.order_by("queued_at").values_list("pk", flat=True).first()
    return first
