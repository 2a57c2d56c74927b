"""What becomes of studies where a researcher exports their data or deletes their account."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet, Sum
from django.forms.models import model_to_dict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit
from recognition import people, quotas
from recognition.models import Recording
from recognition.personal_data import account_deletion
from recognition.series import downloads
from studies.models import Answer, Block, Member, Participation, Study, Visit
from studies.planning import deleting

if TYPE_CHECKING:
    from accounts.models import User

#: Of a study, beside its blocks and conditions; keys of links are no data of the person.
_STUDY = (
    "id", "title", "question", "responsible_name", "institution", "contact_email",
    "ethics_reference", "information", "consent_text", "consent_version", "languages",
    "minimum_age", "most_participants", "ends_on", "delete_on", "order", "status", "return_url",
    "n_came", "n_withdrawn", "exclude_below", "created_at", "opened_at", "closed_at",
    "forbidden_uses_confirmed_at",
)  # fmt: skip
_BLOCK = (
    "name", "kind", "condition", "may_move", "text", "url", "seconds", "answers", "steps",
    "is_required",
)  # fmt: skip
_PARTICIPATION = (
    "number", "external_id", "attributes", "language", "consent_version",
    "consented_at", "state", "camera", "finished_at",
)  # fmt: skip

#: Participants that are read at once; what each of them answered is read by itself.
PARTICIPANTS_AT_ONCE = 50


def register() -> None:
    """To be called once, when the site starts."""
    quotas.ALSO_STORED.append(stored_bytes)
    people.ALSO_EXPORTED.append(texts)
    account_deletion.ALSO_GOES.append(what_goes)
    account_deletion.DELETED_FIRST.append(delete_some)


def stored_bytes(user: User) -> int:
    """Bytes that a person's studies take: stimuli, series, and what participants answered."""
    kept = (
        Block.objects.filter(study__owner_id=user.pk),
        Recording.objects.filter(participation__study__owner_id=user.pk),
        Participation.objects.filter(study__owner_id=user.pk),
    )
    return sum(rows.order_by().aggregate(n=Sum("stored_bytes"))["n"] or 0 for rows in kept)


def what_goes(user: User) -> list[str]:
    """Sentences for the page that deletes an account."""
    mine = Study.objects.filter(owner_id=user.pk)
    count = mine.count()
    if not count:
        return []
    sentences = [
        ngettext(
            "%(n)d study, with all data of its participants. To keep it, hand it over to an "
            "editor first, on its page “Team”.",
            "%(n)d studies, with all data of their participants. To keep one, hand it over to "
            "an editor first, on its page “Team”.",
            count,
        )
        % {"n": count}
    ]
    if mine.filter(status=Study.Status.OPEN).exists():
        sentences.append(_("Among them are studies that people are taking part in now."))
    return sentences


def delete_some(user: User) -> bool:
    """Delete a part of a person's studies; whether there is more."""
    study = Study.objects.filter(owner_id=user.pk).order_by("pk").first()
    if study is None:
        _leave_teams(user)
        return False
    deleting.delete_part(study)
    return True


def _leave_teams(user: User) -> None:
    """Of others' studies, which are locked before their members, as by whoever changes a team.

    With invitations that were never taken up, or by somebody else: they keep the address.
    """
    address = user.email.lower()
    named = Q(user_id=user.pk) | Q(email=address)
    theirs = Q(next_owner_id=user.pk) | Q(pk__in=Member.objects.filter(named).values("study"))
    studies = list(Study.objects.filter(theirs).order_by("pk").values_list("pk", flat=True))
    locked = Study.objects.select_for_update(no_key=True).filter(pk__in=studies).order_by("pk")
    list(locked.values_list("pk"))
    Study.objects.filter(pk__in=studies, next_owner_id=user.pk).update(next_owner=None)
    members = Member.objects.filter(study__in=studies)
    left = members.filter(user_id=user.pk).values_list("study__owner_id", "study_id")
    audit.record_each("study_left", [(owner, f"study:{pk}") for owner, pk in left], None)
    members.filter(Q(user_id=user.pk) | Q(user=None, email=address)).delete()
    for member in members.filter(email=address).select_related("user"):
        # It was passed on to them: from now on they are listed by an address of their own.
        own = member.user.email.lower() if member.user else ""
        members.filter(study=member.study_id, email=own, user=None).delete()
        if members.filter(study=member.study_id, email=own).exists():
            own = f"{member.pk}@member.invalid"  # Somebody else came in by an invitation to that.
        members.filter(pk=member.pk).update(email=own)


def texts(user: User, asked_at: datetime) -> Iterator[tuple[str, Iterable[str]]]:
    """Files of a person's export: the studies that are theirs, and the teams that they are in.

    Without participants who came after it was asked for: it need not go when one of them withdraws.
    """
    for study in Study.objects.filter(owner_id=user.pk).order_by("created_at"):
        folder = f"studies/{study.pk}"
        yield f"{folder}/study.json", [_json(_plan(study)) + "\n"]
        there = study.participations.filter(is_preview=False, consented_at__lt=asked_at)
        yield f"{folder}/participants.json", _json_array(_participants(there))
        took_part = there.filter(recording__n_samples__gt=0)
        took_part = took_part.defer("recording__samples")
        for participation in took_part.select_related("recording").iterator(5):
            assert participation.recording is not None
            yield f"{folder}/{participation}.csv", downloads.as_csv(participation.recording)
    member = Member.objects.filter(user_id=user.pk).values("study", "email", "role", "invited_at")
    if member:
        yield "study_memberships.json", [_json(list(member)) + "\n"]


def _plan(study: Study) -> dict[str, Any]:
    blocks = [
        {**model_to_dict(block, _BLOCK), "condition": block.condition and block.condition.name}
        for block in study.blocks.select_related("condition")
    ]
    return {
        **{name: getattr(study, name) for name in _STUDY},
        "conditions": list(study.conditions.values_list("name", flat=True)),
        "blocks": blocks,
        "team": list(study.members.values("role", "invited_at")),
    }


def _participants(there: QuerySet[Participation]) -> Iterator[dict[str, Any]]:
    rows = there.select_related("condition").defer("consent_text", "sequence")
    for one in rows.iterator(PARTICIPANTS_AT_ONCE):
        yield {
            **{name: getattr(one, name) for name in _PARTICIPATION},
            "condition": one.condition and one.condition.name,
            "visits": _rows(Visit, one, "block__name", "start_ms", "end_ms", "events"),
            "answers": _rows(Answer, one, "block__name", "number", "text"),
        }


def _rows(model: type[Visit] | type[Answer], one: Participation, *fields: str) -> list[Any]:
    return list(model._default_manager.filter(participation=one).values(*fields))


def _json_array(values: Iterable[Any]) -> Iterator[str]:
    """As :func:`_json` of a list that is never in memory whole, as a line of its own."""
    before = "[\n "
    for value in values:
        yield before
        # No text has a line break of its own in JSON: each begins a line of it.
        yield _json(value).replace("\n", "\n ")
        before = ",\n "
    yield "[]\n" if before == "[\n " else "\n]\n"


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
