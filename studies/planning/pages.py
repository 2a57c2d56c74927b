"""Pages of the researcher: all studies, a new one, one and what is next, its details, its end."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import signed_in
from recognition.refusals import Refusal
from studies import access
from studies.models import Study
from studies.planning import changes, deleting, opening, progress, wording
from studies.planning.context import page
from studies.planning.forms import NewStudy


@require_safe
@login_required
def studies(request: HttpRequest) -> HttpResponse:
    """The studies that the person owns or works on."""
    user = signed_in(request)
    found = Study.objects.for_team(user).select_related("owner")
    context = {
        "studies": progress.with_counts(found),
        "may_create": access.may_create(user),
    }
    return render(request, "studies/studies.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_study(request: HttpRequest) -> HttpResponse:
    """Begin one."""
    user = signed_in(request)
    if not access.may_create(user):
        raise PermissionDenied
    initial = {"languages": [request.LANGUAGE_CODE], "contact_email": user.email}
    form = NewStudy(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            study = changes.create(user, form)
        except Refusal as error:
            messages.error(request, str(error))
            return redirect("studies:studies")
        messages.success(
            request,
            _("The study is a draft. Its texts are drafts, too: read them and make them yours."),
        )
        return redirect(study)
    return render(request, "studies/new.html", {"form": form})


@require_safe
@login_required
def study(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One study: where it stands, and what is next."""
    found = access.readable(signed_in(request), pk)
    return page(
        request,
        "studies/study.html",
        found,
        missing=opening.missing(found),
        hints=opening.hints(found),
        counts=progress.counts(found),
        n_blocks=found.blocks.count(),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def study_details(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Change what describes it."""
    user = signed_in(request)
    found = access.editable(user, pk)
    if request.method == "POST":
        form, is_new_version = changes.save_details(found, user, request.POST)
        if form.is_valid():
            text = _("Saved.")
            if is_new_version:
                text = _(
                    "Saved. What participants agree to is now version %(version)d; whoever agreed "
                    "before agreed to an earlier one."
                ) % {"version": form.instance.consent_version}
            messages.success(request, text)
            return redirect("studies:study_details", pk)
    else:
        form = changes.details_of(found, user)
    # A form that was refused has written on it what was typed in.
    fresh = access.editable(user, pk) if form.is_bound else found
    drafts = [wording.information(fresh), wording.consent(fresh)]
    return page(request, "studies/details.html", fresh, form=form, drafts=drafts)


@require_POST
@login_required
def study_status(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Open it, close it, or make it a draft again, as ``action`` says."""
    user = signed_in(request)
    found = access.owned(user, pk)
    try:
        match request.POST.get("action"):
            case "open":
                opening.open_(found, user)
                messages.success(request, _("The study is open. Now invite people."))
                return redirect("studies:invite", pk)
            case "close":
                opening.close(found, user)
                messages.success(request, _("The study is closed. What was collected stays."))
            case "draft":
                opening.back_to_draft(found, user)
                messages.success(request, _("The study is a draft again."))
    except Refusal as error:
        messages.error(request, str(error))
    return redirect(found)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_study(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask, and delete everything: at once, or a large study within minutes."""
    user = signed_in(request)
    found = access.owned(user, pk)
    if request.method == "POST":
        if deleting.ask(found, user):
            text = _("The study and everything in it is deleted.")
        else:
            text = _("The study is closed, and is being deleted. This takes some minutes.")
        messages.success(request, text)
        return redirect("studies:studies")
    return page(
        request,
        "studies/delete.html",
        found,
        n_participants=found.participations.count(),
        n_blocks=found.blocks.count(),
        n_links=found.personal_links.count(),
        n_members=found.members.count(),
    )
