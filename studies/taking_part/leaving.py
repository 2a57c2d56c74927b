"""A participant finishes, leaves, or withdraws; and what the team only tried goes."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from recognition.series.timeline import MAXIMUM_SECONDS
from recognition.webhooks import deliveries
from studies.models import HAVE_ENDED, Participation, Study
from studies.planning import deleting
from studies.planning.deleting import FINISHED_EVENT
from studies.taking_part import keys

#: Seconds of a recording's longest time that are left for whoever comes back.
RESERVE_SECONDS = 600
#: Minutes for which the code is shown, from the first time, where nobody tells that its page was
#: left.
CODE_MINUTES = 15
#: Minutes without a word after which whoever comes by the open link may be somebody else.
AWAY_MINUTES = 5
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
                participation.pk,
                lambda: {"participation": _as_dict(participation, now.isoformat())},
            )
    return True


def is_too_late(participation: Participation) -> bool:
    """Whether too much time has passed since the camera was first on: a recording has an end."""
    if participation.recording is None or participation.state == _State.FINISHED:
        return False
    longest = timedelta(seconds=MAXIMUM_SECONDS - RESERVE_SECONDS)
    return timezone.now() - participation.recording.started_at > longest


def is_away(participation: Participation) -> bool:
    """Whether they have not ended, and nothing has come of them for a while."""
    since = timezone.now() - timedelta(minutes=AWAY_MINUTES)
    return not participation.has_ended and participation.seen_at < since


def leave(participation: Participation) -> None:
    """The participant ends before the end; what they gave stays until they withdraw."""
    going_on = Participation.objects.filter(pk=participation.pk).exclude(state__in=HAVE_ENDED)
    going_on.update(state=_State.LEFT, seen_at=timezone.now())


def seconds_of_code(participation: Participation) -> int:
    """For how long the page at the end shows the withdrawal code: not for long, and not again."""
    if participation.is_code_hidden:
        return 0
    now = timezone.now()
    ends_at = (participation.code_shown_at or now) + timedelta(minutes=CODE_MINUTES)
    return max(0, ceil((ends_at - now).total_seconds()))


def has_shown_code(participation: Participation) -> bool:
    """Whether it ever was shown: the page may never have come to who ended."""
    return participation.code_shown_at is not None or participation.is_code_hidden


def code_is_shown(participation: Participation) -> None:
    """From now on its time counts."""
    Participation.objects.filter(pk=participation.pk, code_shown_at=None).update(
        code_shown_at=timezone.now()
    )


def code_of(participation: Participation, key: str) -> str:
    """The withdrawal code of a participant, whose key their browser has brought.

    Empty where it was made with a ``SECRET_KEY`` that is forgotten.
    """
    codes = keys.codes_of(key, participation.code_salt)
    return next((one for one in codes if keys.hash_of_code(one) == participation.code_hash), "")


def hide_code(participation: Participation) -> None:
    """From now on only whoever knows the code has it; one that was not shown yet will be."""
    Participation.objects.filter(pk=participation.pk, code_shown_at__isnull=False).update(
        is_code_hidden=True
    )


def withdraw(code: str) -> Study | None:
    """Delete all that somebody gave; the study that it was, None where the code opens nothing.

    Args:
        code: as it was typed.
    """
    found = Participation.objects.filter(code_hash=keys.hash_of_code(code)).first()
    return None if found is None else deleting.delete_participant(found)


@receiver(post_save, sender=Study)
def _forget_previews(sender: type[Study], instance: Study, **kwargs: Any) -> None:
    """What the team tried before a study opened is no part of it."""
    if instance.status != Study.Status.OPEN or instance.opened_at is None:
        return
    before = instance.participations.filter(is_preview=True, consented_at__lt=instance.opened_at)
    deleting.delete_participations(before)


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
