"""The page on which a study comes in, and the sheet for the ethics board."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit
from accounts.http import signed_in
from recognition.models import Webhook
from recognition.personal_data.export import DAYS_KEPT
from studies import access
from studies.models import Study
from studies.planning import deleting, progress
from studies.planning.context import page

PARTICIPANTS_PER_PAGE = 50
#: Others with the same code or ID that are named beside one.
ALIKE = 20


@require_safe
@login_required
def study_progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Counts, and the quality of each participant's series."""
    user = signed_in(request)
    study = access.readable(user, pk)
    people = Paginator(progress.newest(study), PARTICIPANTS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    return page(
        request,
        "studies/progress.html",
        study,
        counts=progress.counts(study),
        has_conditions=study.conditions.exists(),
        page=people,
        qualities=[progress.quality(study, one) for one in people.object_list],
        now=timezone.now(),
        has_codes=any(one.external_id for one in people.object_list),
        may_delete=study.owner_id == user.pk,
        is_live=study.status == Study.Status.OPEN,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_participant(request: HttpRequest, pk: UUID, number: int) -> HttpResponse:
    """Ask, and delete what one participant gave, who wants it and has lost the code."""
    user = signed_in(request)
    study = access.owned(user, pk)
    found = get_object_or_404(progress.newest(study), number=number)
    if request.method == "POST":
        if deleting.delete_participant(found) is not None:
            audit.record("study_participant_deleted", user, user, f"study:{study.pk}")
        messages.success(
            request, _("Everything of participant %(name)s is deleted.") % {"name": found}
        )
        return redirect("studies:study_progress", pk)
    alike = progress.newest(study).exclude(pk=found.pk).exclude(external_id="")
    alike = alike.filter(external_id=found.external_id)[:ALIKE]
    return page(request, "studies/delete_participant.html", study, participation=found, alike=alike)


@require_safe
@login_required
def data_protection(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What is stored where, for how long, and who sees it: to be printed."""
    study = access.readable(signed_in(request), pk)
    return page(
        request,
        "studies/data_protection.html",
        study,
        site_url=settings.SITE_URL,
        in_bucket=bool(settings.S3_BUCKET),
        export_days=DAYS_KEPT,
        n_webhooks=Webhook.objects.filter(owner_id=study.owner_id, is_active=True).count(),
        languages=[name for code, name in settings.LANGUAGES if code in study.languages],
        n_members=study.members.count(),
        questions=[block for block in study.blocks.all() if block.is_question],
        web_pages=study.blocks.filter(kind="page"),
        now=timezone.now(),
    )
