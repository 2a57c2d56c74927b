"""A participant finishes, leaves, or withdraws; and what the team only tried goes."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from recognition.models import Recording
from recognition.webhooks import deliveries
from studies.models import Participation, Study
from studies.taking_part import keys

FINISHED_EVENT = "participation.finished"
_State = Participation.State


def finish(participation: Participation) -> bool:
    """All blocks are done; whether that was news."""
    now = timezone.now()
    with transaction.atomic():
        going_on = Participation.objects.filter(pk=participation.pk).exclude(state=_State.FINISHED)
        if not going_on.update(state=_State.FINISHED, finished_at=now, seen_at=now):
            return False
        if not participation.is_preview:
            deliveries.record(
                participation.study.owner_id,
                FINISHED_EVENT,
                lambda: {"participation": _as_dict(participation, now.isoformat())},
            )
    return True


def leave(participation: Participation) -> None:
    """The participant ends before the end; what they gave stays until they withdraw."""
    Participation.objects.filter(pk=participation.pk).exclude(state=_State.FINISHED).update(
        state=_State.LEFT, seen_at=timezone.now()
    )


def withdraw(code: str) -> Study | None:
    """Delete all that somebody gave; the study that it was, None where the code opens nothing.

    Args:
        code: as it was typed.
    """
    found = Participation.objects.filter(code_hash=keys.hash_of_code(code)).first()
    if found is None:
        return None
    with transaction.atomic():
        study = Study.objects.select_for_update().get(pk=found.study_id)
        mine = Participation.objects.select_for_update().filter(pk=found.pk)
        if not mine.exists():
            return None  # Withdrawn by another window at the same moment.
        delete(mine.get())
        if not found.is_preview:
            Study.objects.filter(pk=study.pk).update(n_withdrawn=F("n_withdrawn") + 1)
    return study


def delete(participation: Participation) -> None:
    """Delete a participation with all that it led to, the recording and its series too."""
    with transaction.atomic():
        participation.delete()
        if participation.recording_id is not None:
            Recording.objects.filter(pk=participation.recording_id, owner=None).delete()


@receiver(post_save, sender=Study)
def _forget_previews(sender: type[Study], instance: Study, **kwargs: Any) -> None:
    """What the team tried before a study opened is no part of it."""
    if instance.status != Study.Status.OPEN or instance.opened_at is None:
        return
    before = instance.participations.filter(is_preview=True, consented_at__lt=instance.opened_at)
    for participation in before:
        delete(participation)


def _as_dict(participation: Participation, finished_at: str) -> dict[str, Any]:
    """What a receiver learns: who it was for the researcher, and nothing that was measured."""
    condition = participation.condition
    return {
        "id": str(participation.pk),
        "study": str(participation.study_id),
        "number": participation.number,
        "external_id": participation.external_id,
        "condition": condition.name if condition is not None else None,
        "finished_at": finished_at,
    }
