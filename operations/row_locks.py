"""Lock rows before they are deleted, where others may be adding what belongs to them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet


def lock_to_delete(rows: QuerySet[Any]) -> int:
    """Lock rows until the transaction ends, in which they are to be deleted; how many there are.

    Whoever adds a row that belongs to one of them holds a lock of that one. A deletion looks for
    what belongs to a row before it waits for that lock, and what was added meanwhile would then
    undo it: the database keeps no row that refers to nothing.
    """
    return len(rows.order_by("pk").select_for_update().values_list("pk", flat=True))
