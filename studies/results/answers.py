"""What a study's participants answered, a little of it at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models.functions import Length

from studies.models import Answer

#: Participants whose answers are looked for at once.
PARTICIPANTS_AT_ONCE = 10
#: Answers that are in memory at once, and their characters, but for one alone: they stay there
#: for as long as a reader takes for them.
ANSWERS_AT_ONCE, CHARACTERS_AT_ONCE = 250, 65_536
#: Of a participant, then of the blocks.
_ORDER = ("participation__number", "block__number", "pk")


class Given(NamedTuple):
    """An answer, without all that rows of a database know."""

    participation_id: UUID
    block_id: int
    number: float | None
    text: str


def in_pieces(participations: Sequence[UUID]) -> Iterator[Given]:
    """Answers of some of a study's participants by their number, in the order of the blocks.

    No query stays open from one to the next, and what was deleted meanwhile is not there.
    """
    for first in range(0, len(participations), PARTICIPANTS_AT_ONCE):
        some = participations[first : first + PARTICIPANTS_AT_ONCE]
        for part in _parts(Answer.objects.filter(participation__in=some)):
            rows = Answer.objects.filter(pk__in=part).order_by(*_ORDER)
            yield from [Given(*row) for row in rows.values_list(*Given._fields)]


def _parts(found: Any) -> list[list[int]]:
    """Primary keys of answers, in parts that are small enough to be read at once."""
    parts: list[list[int]] = []
    n_characters = 0
    for pk, length in found.order_by(*_ORDER).values_list("pk", Length("text")):
        n_characters += length
        if not parts or len(parts[-1]) >= ANSWERS_AT_ONCE or n_characters > CHARACTERS_AT_ONCE:
            parts.append([])
            n_characters = length
        parts[-1].append(pk)
    return parts
