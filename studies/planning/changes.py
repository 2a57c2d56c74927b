"""Begin a study, and change what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from recognition import quotas
from studies.models import Study
from studies.planning import wording
from studies.planning.blocks import TooMany
from studies.planning.forms import Details, NewStudy

if TYPE_CHECKING:
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


def save_details(form: Details) -> Study:
    """Store a valid form; another consent text after the opening is a new version of it."""
    study: Study = form.save(commit=False)
    study.languages = form.cleaned_data["languages"]
    study.exclude_below = form.cleaned_data["least_percent"] / 100
    if form.cleaned_data.get("confirmed"):
        study.forbidden_uses_confirmed_at = timezone.now()
    with transaction.atomic():
        before = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        study.consent_version = before.consent_version
        if before.opened_at is not None and before.consent_text != study.consent_text:
            study.consent_version += 1
        names = [field.name for field in Study._meta.fields if field.name in form.fields]
        names += ["exclude_below", "forbidden_uses_confirmed_at", "consent_version"]
        study.save(update_fields=names)
    return study
