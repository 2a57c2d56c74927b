"""The audit trail as a person reads it: what is alike together, and the way to what is there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from uuid import UUID

from django.apps import apps
from django.utils import timezone

from accounts.audit import SHOWN_TARGETS
from accounts.models import AuditEvent, User


def group(events: Iterable[AuditEvent]) -> list[list[AuditEvent]]:
    """Put together what somebody did several times in a row on one day."""
    return [list(alike) for _key, alike in groupby(events, _key)]


def _key(event: AuditEvent) -> tuple[str, int | None, date, str]:
    purpose = str(event.details.get("purpose", ""))
    return event.action, event.actor_id, timezone.localdate(event.at), purpose


def find_pages(user: User, events: Iterable[AuditEvent]) -> dict[str, str]:
    """The URLs of what the events concern, by their targets; without what is gone.

    Takes one query for each kind of target.
    """
    ids: dict[str, set[UUID]] = {}
    for event in events:
        kind, _separator, identity = event.target.partition(":")
        if SHOWN_TARGETS.get(kind):
            try:
                ids.setdefault(kind, set()).add(UUID(identity))
            except ValueError:
                continue
    found = {}
    for kind, wanted in ids.items():
        model = apps.get_model(SHOWN_TARGETS[kind])
        for row in model.objects.for_owner(user).filter(pk__in=wanted):
            found[f"{kind}:{row.pk}"] = row.get_absolute_url()
    return found
