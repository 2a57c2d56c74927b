"""Pages of a study's team."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import signed_in
from recognition.refusals import Refusal
from studies import access
from studies.models import Member, Study
from studies.planning import team as members
from studies.planning.context import page


class InvitationForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label=gettext_lazy("Email"))
    role = forms.ChoiceField(
        label=gettext_lazy("Role"), choices=Member.Role.choices, initial=Member.Role.VIEWER
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def team(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Who works on the study; the owner invites."""
    user = signed_in(request)
    study = access.readable(user, pk)
    form, link = InvitationForm(), ""
    if request.method == "POST":
        study = access.owned(user, pk)
        form = InvitationForm(request.POST)
        if form.is_valid():
            try:
                link = members.invite(
                    study, form.cleaned_data["email"], form.cleaned_data["role"], user
                )
            except Refusal as error:
                form.add_error("email", str(error))
            else:
                messages.success(request, _("The invitation is on its way."))
                if settings.CAN_MAIL:
                    return redirect("studies:team", pk)
                form = InvitationForm()
    return page(
        request,
        "studies/team.html",
        study,
        form=form,
        link=link,
        members=list(study.members.all()),
        roles=Member.Role.choices,
    )


@require_POST
@login_required
def change_member(request: HttpRequest, pk: UUID, member: int) -> HttpResponse:
    """Change the ``role``, ``remove`` or ask to become the ``owner``, as ``action`` says."""
    user = signed_in(request)
    study = access.owned(user, pk)
    found = get_object_or_404(study.members.select_related("user"), pk=member)
    try:
        match request.POST.get("action"):
            case "role":
                members.change_role(found, request.POST.get("role", ""), user)
                messages.success(request, _("Saved."))
            case "remove":
                members.remove(found, user)
                messages.success(request, _("Removed: %(name)s") % {"name": found.email})
            case "owner":
                members.offer(found, user)
                messages.success(
                    request,
                    _("%(email)s is asked to become the owner. Until then it is you.")
                    % {"email": found.email},
                )
    except Refusal as error:
        messages.error(request, str(error))
    except ValueError:
        messages.error(request, _("Choose one of the options."))
    return redirect("studies:team", pk)


@require_POST
@login_required
def ownership(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Whoever is asked to become the owner answers: ``accept`` or ``decline``, as ``action`` says.

    The owner may take the question back, by ``decline`` as well.
    """
    user = signed_in(request)
    study = access.readable(user, pk)
    if user.pk not in {study.owner_id, study.next_owner_id}:
        raise Http404
    try:
        if request.POST.get("action") == "accept":
            members.take_over(study, user)
            messages.success(request, _("You are the owner now."))
        elif members.decline(study, user):
            messages.success(request, _("Saved."))
    except Refusal as error:
        messages.error(request, str(error))
    except Study.DoesNotExist:
        raise Http404 from None
    return redirect("studies:team", pk)


@require_POST
@login_required
def leave(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Leave the team; the owner cannot, but hand the study over."""
    user = signed_in(request)
    study = access.readable(user, pk)
    if study.owner_id == user.pk:
        messages.error(request, _("Hand the study over first."))
        return redirect("studies:team", pk)
    members.leave(study, user)
    messages.success(request, _("You have left the team."))
    return redirect("studies:studies")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def join(request: HttpRequest, key: str) -> HttpResponse:
    """Take up an invitation; its key says to which study."""
    found = members.invited(key)
    if request.method == "POST":
        try:
            study = members.join(key, signed_in(request))
        except Refusal as error:
            messages.error(request, str(error))
            return redirect("studies:studies")
        messages.success(request, _("Welcome to the team."))
        return redirect(study)
    status = 200 if found else 404
    return render(request, "studies/join.html", {"invitation": found}, status=status)
