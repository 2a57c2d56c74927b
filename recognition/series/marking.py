"""Markers and corrections in a person's recordings, which take room like all else of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from recognition import quotas
from recognition.models import Marker, Recording, StretchAnswer
from recognition.series import answers, markers

if TYPE_CHECKING:
    from accounts.models import User


def add(
    owner_id: int, recording_id: UUID, time_ms: int, name: Any, value: Any = None
) -> Marker | None:
    """As :func:`recognition.series.markers.add`, where there is room.

    Raises:
        AccountClosed: the account is being deleted.
        QuotaExceeded: there is no room left.
        MarkerRefused, TooManyMarkers: as there.
    """
    # Without their row: others' sockets would wait for whatever else of theirs has it. What is
    # added to a recording goes with that.
    quotas.take_room(quotas.active(owner_id), markers.STORED_BYTES)
    return markers.add(recording_id, time_ms, name, value)


def answer(recording: Recording, actor: User, **given: Any) -> StretchAnswer | None:
    """As :func:`recognition.series.answers.add`, where there is room.

    Raises:
        AccountClosed: the account is being deleted.
        QuotaExceeded: there is no room left.
        AnswerRefused, TooManyAnswers: as there.
    """
    with transaction.atomic():
        quotas.check_room(quotas.lock(actor.pk), answers.STORED_BYTES)
        return answers.add(recording.pk, actor, **given)
