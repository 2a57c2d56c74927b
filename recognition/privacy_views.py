"""What people decide about their own data: how long it is kept, who gets it, when it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from allauth.account.forms import ReauthenticateForm
from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import consent
from recognition import account_deletion, quotas, retention, tasks
from recognition.forms import RetentionChoice
from recognition.models import LiveSession, Upload
from recognition.retention import days_kept, describe

if TYPE_CHECKING:
    from accounts.models import User


@require_safe
@login_required
def privacy(request: HttpRequest) -> HttpResponse:
    """Everything on one page."""
    user = _user(request)
    days = days_kept(user.photo_retention_days)
    context = {
        "retention_form": RetentionChoice(
            initial={"days": retention.nearest(user.photo_retention_days)}
        ),
        "kept": describe(days),
        "quotas": quotas.of(user),
        "trains": consent.has(user, consent.Purpose.TRAINING),
    }
    return render(request, "recognition/privacy.html", context)


@require_POST
@login_required
def choose_retention(request: HttpRequest) -> HttpResponse:
    """How long one's photos are kept from now on; also those that are there already."""
    form = RetentionChoice(request.POST)
    if form.is_valid():
        user = _user(request)
        user.photo_retention_days = form.cleaned_data["days"]
        user.save(update_fields=["photo_retention_days"])
        messages.success(request, _("Saved. Photos that are due are deleted within ten minutes."))
    else:
        messages.error(request, _("Choose one of the lengths of time."))
    return redirect("privacy")


@require_POST
@login_required
def choose_training(request: HttpRequest) -> HttpResponse:
    """Let one's corrections be used for training, or no longer."""
    if request.POST.get("agree") == "yes":
        consent.give(_user(request), consent.Purpose.TRAINING)
        messages.success(request, _("Thank you. You can change your mind at any time."))
    else:
        consent.withdraw(_user(request), consent.Purpose.TRAINING)
        messages.success(request, _("Your corrections are no longer given away for training."))
    return redirect("privacy")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_account(request: HttpRequest) -> HttpResponse:
    """Close the account at once; a task deletes everything that belongs to it."""
    user = _user(request)
    form = ReauthenticateForm(request.POST or None, user=user)
    if request.method == "POST":
        if not ratelimit.consume(request, action="reauthenticate", user=user):
            messages.error(request, _("Too many attempts. Wait a minute and try again."))
        elif form.is_valid():
            # First of all, so that signing out still finds the account.
            logout(request)
            account_deletion.close(user)
            transaction.on_commit(lambda: tasks.enqueue_deletion(user.pk))
            messages.success(
                request,
                _("Your account is closed. Everything in it is gone within a minute."),
            )
            return redirect("home")
    context = {
        "form": form,
        "n_photos": Upload.objects.for_owner(user).count(),
        "n_sessions": LiveSession.objects.for_owner(user).count(),
    }
    return render(request, "recognition/delete_account.html", context)


def _user(request: HttpRequest) -> User:
    return cast("User", request.user)
