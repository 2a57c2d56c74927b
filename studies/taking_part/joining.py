"""Somebody agrees, and is a participant: number, condition and order are theirs from then on."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from studies.models import (
    SILENT_MINUTES,
    Block,
    Condition,
    Participation,
    PersonalLink,
    Study,
)
from studies.planning import deleting
from studies.taking_part import keys, leaving, ordering, room

#: Whoever has not switched the camera on takes a place for this many minutes only.
UNDECIDED_MINUTES = 10
#: How many may come and leave again: so many for each place, and so many more.
COMERS_A_PLACE, MORE_COMERS = 5, 50
#: Numbers of previews begin here, so that participants are numbered without gaps.
FIRST_PREVIEW = 1_000_001
#: Characters of a panel's id that are kept.
LONGEST_ID = 80


class CannotJoin(Exception):
    """Nobody new comes in, or not by this way.

    Attributes:
        reason: `closed`, `full` or `used`; also the name of the page that says so.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def came(study: Study) -> None:
    """Somebody opened the study's first page; nothing is kept of who."""
    Study.objects.filter(pk=study.pk).update(n_came=F("n_came") + 1)


def check(study: Study, link: PersonalLink | None = None, *, is_preview: bool = False) -> None:
    """Whether somebody new may come in now.

    Raises:
        CannotJoin: the study is closed or full, or the personal link was used.
    """
    if is_preview:
        return
    if not study.takes_people_in or (link is None and not study.is_link_open):
        raise CannotJoin("closed")
    if link is not None and Participation.objects.filter(personal_link=link).exists():
        raise CannotJoin("used")
    if not study.owner.is_active:
        raise CannotJoin("closed")
    everybody = study.participations.filter(is_preview=False).count()
    if (
        taken(study) >= study.most_participants
        or everybody >= COMERS_A_PLACE * study.most_participants + MORE_COMERS
        or room.left_of(study) < 1
    ):
        raise CannotJoin("full")


def taken(study: Study) -> int:
    """Places that are taken: by who has finished, and by who is taking part now."""
    since = timezone.now() - timedelta(minutes=SILENT_MINUTES)
    lately = timezone.now() - timedelta(minutes=UNDECIDED_MINUTES)
    has_begun = Q(recording__isnull=False) | Q(seen_at__gte=lately)
    is_here = ~Q(state=Participation.State.LEFT) & Q(seen_at__gte=since) & has_begun
    return study.participations.filter(
        Q(state=Participation.State.FINISHED) | is_here, is_preview=False
    ).count()


def join(
    study: Study,
    *,
    language: str,
    consent_version: int,
    link: PersonalLink | None = None,
    external_id: str = "",
    browser_key: str | None = None,
    is_preview: bool = False,
    last_preview: Participation | None = None,
) -> tuple[Participation, str]:
    """Store that somebody has agreed; returns the participation, and the key for the cookie.

    Whoever agrees again, because they pressed twice or because the answer was lost, is the
    participant that they are already.

    Args:
        study: which one.
        language: that they chose.
        consent_version: of the text that they were shown.
        link: the personal link that they came by.
        external_id: that a panel gave them.
        browser_key: of who agrees in their browser; None where it has none.
        is_preview: whether it is the team that tries the study.
        last_preview: of the same person, which is deleted; the next condition is tried.

    Raises:
        CannotJoin: the study is closed or full, the personal link was used, or the text was
            changed while they read it (`changed`).
    """
    # Counted before others wait for this one.
    room.left_of(study)
    with transaction.atomic():
        # One after the other: two at once would get the same number and condition.
        study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        external_id = link.label if link is not None else external_id[:LONGEST_ID]
        key = None if is_preview else browser_key
        if key is not None:
            if (made := agreed_before(study, key, link, external_id)) is not None:
                return made, key
            # Of somebody else, who used this browser before: nobody gets their key.
            if Participation.objects.filter(key_hash=keys.hash_of(key)).exists():
                key = None
        check(study, link, is_preview=is_preview)
        if link is not None and not study.personal_links.filter(pk=link.pk).exists():
            raise CannotJoin("closed")
        if consent_version != study.consent_version:
            raise CannotJoin("changed")
        condition = _least_filled(study)
        if last_preview is not None:
            condition = _after(study, last_preview.condition)
            deleting.delete_participations(study.participations.filter(pk=last_preview.pk))
        blocks = list(study.blocks.filter(Q(condition=None) | Q(condition=condition)))
        # Only a Latin square looks at what the others got.
        is_square = study.order == Study.Order.LATIN_SQUARE
        others = _given(study, condition) if is_square else []
        key, salt = key or keys.new(), keys.new()
        attributes = link.attributes if link is not None else {}
        sequence = ordering.sequence(study, blocks, others)
        participation = Participation.objects.create(
            study=study,
            number=_next_number(study, is_preview),
            code_hash=keys.hash_of_code(keys.code_of(key, salt)),
            code_salt=salt,
            key_hash=keys.hash_of(key),
            personal_link=None if is_preview else link,
            external_id=external_id,
            attributes=attributes,
            is_preview=is_preview,
            condition=condition,
            language=language,
            consent_version=study.consent_version,
            consent_text=study.consent_text,
            sequence=sequence,
            stored_bytes=room.of_participation(study.consent_text, attributes, sequence),
        )
    return participation, key


def agreed_before(
    study: Study, key: str, link: PersonalLink | None, external_id: str
) -> Participation | None:
    """The participation of who agrees once more, and is not the next one at a device.

    Nothing but their consent is there yet. By the open link it was given a moment ago, too; a
    personal link is one person's.
    """
    untouched = Participation.objects.filter(
        study=study,
        key_hash=keys.hash_of(key),
        state=Participation.State.CONSENTED,
        recording=None,
        socket_key="",
        personal_link=link,
        external_id=external_id,
    )
    if link is None:
        since = timezone.now() - timedelta(minutes=leaving.AWAY_MINUTES)
        untouched = untouched.filter(consented_at__gt=since)
    return untouched.first()


def blocks_of(participation: Participation) -> list[Block]:
    """A participant's blocks, in their order; without those that a draft has no more."""
    known = Block.objects.filter(study_id=participation.study_id).in_bulk(participation.sequence)
    return [known[pk] for pk in participation.sequence if pk in known]


def _least_filled(study: Study) -> Condition | None:
    conditions = list(study.conditions.all())
    if not conditions:
        return None
    counting = study.participations.filter(is_preview=False)
    counting = counting.exclude(state=Participation.State.LEFT)
    filled = {
        condition.pk: counting.filter(condition=condition).count() for condition in conditions
    }
    return min(conditions, key=lambda condition: (filled[condition.pk], condition.pk))


def _after(study: Study, condition: Condition | None) -> Condition | None:
    """The next condition, and after the last one the first."""
    conditions = list(study.conditions.all())
    if condition not in conditions:
        return _least_filled(study)
    return conditions[(conditions.index(condition) + 1) % len(conditions)]


def _given(study: Study, condition: Condition | None) -> list[list[int]]:
    others = study.participations.filter(is_preview=False, condition=condition)
    return list(others.exclude(state=Participation.State.LEFT).values_list("sequence", flat=True))


def _next_number(study: Study, is_preview: bool) -> int:
    """Nobody else's, before or after: who withdraws takes theirs along.

    Args:
        study: locked.
    """
    alike = study.participations.filter(is_preview=is_preview)
    before = FIRST_PREVIEW - 1 if is_preview else study.last_number
    number: int = max(before, alike.aggregate(highest=Max("number"))["highest"] or 0) + 1
    if not is_preview:
        Study.objects.filter(pk=study.pk).update(last_number=number)
    return number
