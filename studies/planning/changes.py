"""Begin a study, and change what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from recognition import quotas
from studies.models import ExclusionRule, Study
from studies.planning import wording
from studies.planning.blocks import TooMany
from studies.planning.forms import Details, NewStudy

if TYPE_CHECKING:
    from django.http import QueryDict

    from accounts.models import User

#: Of one person: their texts and lists take room that no quota counts.
MAXIMUM_STUDIES = 200


def create(owner: User, form: NewStudy) -> Study:
    """Store a valid form as a new study, with drafts of what participants read.

    Raises:
        AccountClosed: the owner's account is being deleted.
        TooMany: they have :data:`MAXIMUM_STUDIES`.
    """
    study: Study = form.save(commit=False)
    study.owner = owner
    study.languages = form.cleaned_data["languages"]
    study.forbidden_uses_confirmed_at = timezone.now()
    study.information = wording.information(study)
    study.consent_text = wording.consent(study)
    with transaction.atomic():
        quotas.lock(owner.pk)
        if Study.objects.filter(owner=owner).count() >= MAXIMUM_STUDIES:
            raise TooMany(_("You can have %(n)d studies at most.") % {"n": MAXIMUM_STUDIES})
        study.save()
        audit.record("study_created", owner, owner, f"study:{study.pk}")
    return study


def details_of(study: Study, user: User, data: QueryDict | None = None) -> Details:
    """The form of what describes a study, for somebody who may change it."""
    form = Details(data, instance=study)
    if study.owner_id != user.pk:
        # Both end a study: the one deletes it, and the other closes it.
        form.only_for_the_owner("delete_on")
        if study.status != Study.Status.DRAFT:
            form.only_for_the_owner("ends_on")
    return form


def save_details(study: Study, user: User, data: QueryDict) -> tuple[Details, bool]:
    """Judge what was typed in, and store it if it is valid.

    Returns:
        The form, and whether what participants agree to has a new version.
    """
    with transaction.atomic():
        # Nobody joins between the look at what they were promised and its change.
        before = get_object_or_404(Study.objects.select_for_update(no_key=True), pk=study.pk)
        agreed, version = _agreed_to(before), before.consent_version
        form = details_of(before, user, data)
        if form.is_valid():
            _save(form, user, agreed)
    return form, form.instance.consent_version != version


def _save(form: Details, user: User, agreed: list[list[str]]) -> None:
    study: Study = form.save(commit=False)
    study.languages = form.cleaned_data["languages"]
    # It may have been saved to a tenth of a percent, on the page of the results.
    if "least_percent" in form.changed_data:
        study.exclude_below = form.cleaned_data["least_percent"] / 100
        # It is one of the rules, and results name who changed them last.
        ExclusionRule.objects.update_or_create(study=study, defaults={"changed_by": user})
    if form.cleaned_data.get("confirmed"):
        study.forbidden_uses_confirmed_at = timezone.now()
    if study.opened_at is not None and _agreed_to(study) != agreed:
        study.consent_version += 1
    names = [field.name for field in Study._meta.fields if field.name in form.fields]
    names += ["exclude_below", "forbidden_uses_confirmed_at", "consent_version"]
    study.save(update_fields=names)


def _agreed_to(study: Study) -> list[list[str]]:
    """In words: a browser sends other line ends than a draft has."""
    texts = (study.information, study.consent_text, str(study.minimum_age))
    return [text.split() for text in texts]
