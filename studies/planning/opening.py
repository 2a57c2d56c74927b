"""Open a study, close it, open it again; and what is missing until it can open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import audit
from recognition.refusals import Refusal
from studies.models import Block, Study
from studies.planning import deleting, wording

if TYPE_CHECKING:
    from accounts.models import User

#: What only the researchers know, in the drafts of :mod:`studies.planning.wording`.
#: Without a bracket inside: else each that is never closed would be looked after to the end.
_GAP = re.compile(r"\[[^\[\]\n]{3,}\]")


class NotReady(Refusal):
    """Something is missing."""

    code, status = "not_ready", 409


class TookPart(Refusal):
    """There is data already."""

    code, status = "took_part", 409


class Missing(NamedTuple):
    """What has to be done first, and the page where."""

    text: str
    url: str


def missing(study: Study) -> list[Missing]:
    """What keeps a study from being opened, in the order of its pages."""
    details = reverse("studies:study_details", args=[study.pk])
    blocks = reverse("studies:blocks", args=[study.pk])
    found = [
        Missing(text, details)
        for is_missing, text in (
            (not study.responsible_name, _("Say who is responsible.")),
            (not study.contact_email, _("Give an email address for participants’ questions.")),
            (not study.consent_text.strip(), _("Write the consent text.")),
            (bool(gaps(study)), _("Fill in the placeholders in square brackets: %(gaps)s")
             % {"gaps": " ".join(gaps(study))}),
            (not study.languages, _("Choose the languages for participants.")),
            (study.delete_on is None, _("Choose the day on which everything is deleted.")),
            (study.delete_on is not None and study.delete_on <= timezone.now().date(),
             _("The deletion date has passed.")),
            (study.ends_on is not None and study.ends_on < timezone.now().date(),
             _("The last day has passed.")),
            (study.forbidden_uses_confirmed_at is None,
             _("Confirm that the study is not about people at work or in education.")),
        )
        if is_missing
    ]  # fmt: skip
    plan = list(study.blocks.all())
    if not plan:
        found.append(Missing(_("Add at least one block."), blocks))
    found += [
        Missing(
            _("Choose a file for the block “%(name)s”.") % {"name": block.name},
            reverse("studies:edit_block", args=[study.pk, block.pk]),
        )
        for block in plan
        if block.kind in Block.WITH_FILE and not block.file
    ]
    used = {block.condition_id for block in plan}
    conditions = list(study.conditions.all())
    if len(conditions) == 1:
        found.append(Missing(_("Add a second condition, or delete the only one."), blocks))
    elif conditions and not used & {condition.pk for condition in conditions}:
        found.append(Missing(_("No block belongs to a condition yet."), blocks))
    return found


def hints(study: Study) -> list[str]:
    """What looks wrong, though the study may open."""
    found = []
    if (
        study.delete_on
        and study.consent_text
        and not wording.names_day(study.consent_text, study.languages, study.delete_on)
    ):
        found.append(
            _("The consent text does not name the deletion date, %(day)s.")
            % {"day": date_format(study.delete_on, "DATE_FORMAT")}
        )
    # A control group is meant so; otherwise it is a block that was forgotten.
    if study.conditions.exclude(blocks=None).exists():
        found += [
            _("No block belongs to the condition “%(name)s”: its group sees only what all see.")
            % {"name": condition.name}
            for condition in study.conditions.filter(blocks=None)
        ]
    if not study.ethics_reference:
        found.append(_("There is no ethics reference yet."))
    return found


def gaps(study: Study) -> list[str]:
    """What is still in square brackets in a study's texts."""
    found = _GAP.findall(study.information) + _GAP.findall(study.consent_text)
    return list(dict.fromkeys(found))


def open_(study: Study, actor: User) -> None:
    """Let participants in, for the first time or again.

    Raises:
        NotReady: something is missing.
    """
    with transaction.atomic():
        locked = _locked(study)
        lacking = missing(locked)
        if lacking:
            raise NotReady(lacking[0].text)
        if locked.status == Study.Status.OPEN:
            return
        locked.status = Study.Status.OPEN
        locked.opened_at = locked.opened_at or timezone.now()
        locked.closed_at = None
        locked.save(update_fields=["status", "opened_at", "closed_at"])
        audit.record("study_opened", locked.owner, actor, f"study:{locked.pk}")


def close(study: Study, actor: User) -> None:
    """Let nobody new in; what was collected stays."""
    with transaction.atomic():
        locked = _locked(study)
        if locked.status != Study.Status.OPEN:
            return
        locked.status, locked.closed_at = Study.Status.CLOSED, timezone.now()
        locked.save(update_fields=["status", "closed_at"])
        audit.record("study_closed", locked.owner, actor, f"study:{locked.pk}")


def back_to_draft(study: Study, actor: User) -> None:
    """Let blocks be changed again, as long as nobody has taken part.

    Raises:
        TookPart: somebody has, or has withdrawn.
    """
    with transaction.atomic():
        locked = _locked(study)
        if locked.status == Study.Status.DRAFT:
            return
        if locked.n_withdrawn or locked.participations.filter(is_preview=False).exists():
            raise TookPart(_("People have taken part, so the study stays as they saw it."))
        # What the team tried would not fit other blocks.
        deleting.delete_participations(locked.participations.all())
        locked.status, locked.opened_at, locked.closed_at = Study.Status.DRAFT, None, None
        # Whoever still has the page of the opening before agrees to that text and to no later one.
        locked.consent_version += 1
        locked.save(update_fields=["status", "opened_at", "closed_at", "consent_version"])
        audit.record("study_closed", locked.owner, actor, f"study:{locked.pk}")


def _locked(study: Study) -> Study:
    return (
        Study.objects.select_for_update(of=("self",), no_key=True)
        .select_related("owner")
        .get(pk=study.pk)
    )
