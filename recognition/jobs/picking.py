"""Which row a worker takes: the one place that decides whose turn it is.

A message says that there is work, and the database which. So nobody waits behind somebody else's
five hundred: whoever has the fewest in work comes first, then whoever was served the longest ago.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min
from django.utils import timezone

from recognition.jobs import served

#: Somebody with more than this that wait is not waiting for each of them.
MANY_WAITING = 20
#: Rows of the last hour are looked at only where several have waited for a minute.
LATELY = timedelta(minutes=1)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one person has that waits: how many, and since when the oldest of them is there."""

    owner: Any
    count: int
    since: datetime


def pick(jobs: Any, named: uuid.UUID | str | None) -> uuid.UUID | str | None:
    """The id of the job to claim; None where there is nothing to do.

    Args:
        jobs: a `JobQuerySet`, among which to choose.
        named: what the message asks for, which is taken unless it is more somebody else's turn;
            None for whichever is due.
    """
    of = jobs.model.owner_lookup
    if of is None:
        return named if named is not None else _first(jobs.due())
    owner = jobs.claimable().filter(pk=named).values_list(of, flat=True).first() if named else None
    people = _waiting(jobs, of, owner)
    if not people:
        return named
    busy: dict[Any, int] = dict(
        jobs.in_work().order_by().values_list(of).annotate(count=Count("pk"))
    )
    at_once = jobs.model.at_once
    if at_once is not None:
        people = [person for person in people if busy.get(person.owner, 0) < at_once]
        if not people:
            return None
    fewest = min(busy.get(person.owner, 0) for person in people)
    people = [person for person in people if busy.get(person.owner, 0) == fewest]
    served_last = _served_last(jobs, of, [person.owner for person in people])
    turn = min(
        people,
        key=lambda person: (
            served_last.get(person.owner, _NEVER),
            person.owner != owner,
            person.since,
        ),
    )
    if owner is not None and turn.owner == owner:
        return named
    # Another worker may just have taken it; then the message's own is as good.
    return _first(jobs.due().filter(**{of: turn.owner})) or named


def _waiting(jobs: Any, of: str, owner: Any) -> list[Waiting]:
    """Whose turn it may be, for a message about something of `owner`'s."""
    due = jobs.due().order_by().values_list(of)
    # Not since they were queued: that is anew, each time that their message counts as lost.
    people = [Waiting(*row) for row in due.annotate(count=Count("pk"), since=Min("created_at"))]
    if owner is None:
        return people
    own = next((person for person in people if person.owner == owner), None)
    if own is None:
        own = Waiting(owner, 1, timezone.now())
        people.append(own)
    if own.count > MANY_WAITING:
        return people
    # A message about what somebody waits for is not spent on a batch: it may have come to a
    # worker that is kept free for people.
    return [person for person in people if person is own or person.count <= MANY_WAITING]


def _served_last(jobs: Any, of: str, owners: list[Any]) -> dict[Any, datetime]:
    """When each of some people was served last, as far as it decides whose turn it is.

    Whoever waits for another attempt has had one: else those whose receivers never answer would
    always come before everybody whose do.
    """
    if len(owners) < 2:
        return {}
    now = timezone.now()
    served_last = served.last(jobs.model._meta.model_name, owners)
    for recently in (LATELY, served.WITHIN):
        others = [owner for owner in owners if owner not in served_last]
        if len(others) < 2:
            break
        theirs = jobs.filter(**{f"{of}__in": others}).order_by()
        ended = theirs.filter(finished_at__gte=now - recently)
        served_last |= dict(ended.values_list(of).annotate(last=Max("finished_at")))
        again = theirs.filter(
            status=jobs.model.Status.PENDING, queued_at__gte=now - recently, attempts__gt=0
        )
        served_last |= dict.fromkeys(again.values_list(of, flat=True).distinct(), now)
    return served_last


def _first(jobs: Any) -> uuid.UUID | None:
    found: uuid.UUID | None = jobs.order_by("queued_at").values_list("pk", flat=True).first()
    return found
