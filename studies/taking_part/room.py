"""What participants give takes room in the storage of the study's owner, and ends with it."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import F
from django.db.models.functions import Greatest

from recognition import quotas
from recognition.refusals import Refusal
from studies.models import Participation, Study

#: What a row counts beside its texts, with its place in the indexes.
PARTICIPATION_BYTES, VISIT_BYTES, ANSWER_BYTES, READING_BYTES = 1000, 200, 200, 150


class NoRoom(Refusal):
    """The storage of the study's owner is full."""

    code, status = "no_room", 403

    def __init__(self) -> None:
        super().__init__("The storage of the study is full. What was stored before is kept.")


def of_texts(*texts: str) -> int:
    """Bytes of texts."""
    return sum(len(text.encode()) for text in texts)


def of_values(values: Any) -> int:
    """Bytes of what is stored as JSON, such as events."""
    return of_texts(json.dumps(values))


def of_participation(consent_text: str, attributes: dict[str, str], sequence: list[int]) -> int:
    """What a participation takes before anything is answered."""
    return PARTICIPATION_BYTES + of_texts(consent_text) + of_values([attributes, sequence])


def is_left(participation: Participation, n_bytes: int = 1) -> bool:
    """Whether so many more bytes fit."""
    return left_of(participation.study) >= n_bytes


def take(participation: Participation, n_bytes: int) -> None:
    """Count bytes that were stored of a participant in this transaction; fewer go always.

    Raises:
        NoRoom: they are more than fit.
    """
    if not n_bytes:
        return
    if n_bytes > 0:
        if not is_left(participation, n_bytes):
            raise NoRoom
        quotas.take(participation.study.owner_id, n_bytes)
    grown = Greatest(F("stored_bytes") + n_bytes, 0)
    Participation.objects.filter(pk=participation.pk).update(stored_bytes=grown)


def left_of(study: Study) -> float:
    """Bytes that a study's owner has left, about: participants do not wait for each other."""
    return quotas.bytes_left(study.owner)
