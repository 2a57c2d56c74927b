"""What people decide about their own data: how long it is kept, who gets it, when it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from allauth.account.forms import ReauthenticateForm
from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import consent
from accounts.http import signed_in
from operations.private_files import chunks
from recognition import quotas
from recognition.models import DataExport, Recording, Upload
from recognition.models.data_exports import DataExportQuerySet
from recognition.people import TRAINING
from recognition.personal_data import account_deletion
from recognition.personal_data import export as data_export
from recognition.personal_data.forms import RetentionChoice
from recognition.uploads import retention
from recognition.uploads.retention import days_kept, describe
from recognition.videos import keeping

if TYPE_CHECKING:
    from accounts.models import User


@require_safe
@login_required
def privacy(request: HttpRequest) -> HttpResponse:
    """Everything on one page."""
    user = signed_in(request)
    export = _own_exports(request).first()
    days = days_kept(user.photo_retention_days)
    context = {
        "retention_form": RetentionChoice(
            initial={"days": retention.nearest(user.photo_retention_days)}
        ),
        "kept": describe(days),
        "quotas": quotas.of(user),
        "export": export,
        "export_days": data_export.DAYS_KEPT,
        "trains": consent.has(user, TRAINING),
    }
    return render(request, "recognition/privacy.html", context)


@require_POST
@login_required
def choose_retention(request: HttpRequest) -> HttpResponse:
    """How long one's photos and kept videos stay from now on; also those that are there."""
    form = RetentionChoice(request.POST)
    if form.is_valid():
        user = signed_in(request)
        retention.choose(user, form.cleaned_data["days"])
        messages.success(request, _saved(user))
    else:
        messages.error(request, _("Choose one of the options."))
    return redirect("privacy")


def _saved(user: User) -> str:
    """That a choice is saved, and how much goes by it: nobody is asked again."""
    n_photos = retention.due_photos().for_owner(user).count()
    n_videos = keeping.due().for_owner(user).count()
    if not n_photos and not n_videos:
        return _("Saved. Nothing has to be deleted.")
    photos = ngettext("%(n)s photo", "%(n)s photos", n_photos) % {"n": n_photos}
    videos = ngettext("%(n)s video", "%(n)s videos", n_videos) % {"n": n_videos}
    if n_photos and n_videos:
        what = _("%(photos)s and %(videos)s") % {"photos": photos, "videos": videos}
    else:
        what = photos if n_photos else videos
    return _("Saved. To be deleted within ten minutes: %(what)s.") % {"what": what}


@require_POST
@login_required
def choose_training(request: HttpRequest) -> HttpResponse:
    """Let one's corrections be used for training, or no longer."""
    if request.POST.get("agree") == "yes":
        consent.give(signed_in(request), TRAINING)
        messages.success(request, _("Thank you. You can withdraw at any time."))
    else:
        consent.withdraw(signed_in(request), TRAINING)
        messages.success(request, _("Your corrections are no longer shared for training."))
    return redirect("privacy")


@require_POST
@login_required
def start_export(request: HttpRequest) -> HttpResponse:
    """Have all of one's data put into an archive."""
    try:
        data_export.start(signed_in(request))
    except data_export.ExportRunning as error:
        messages.error(request, str(error))
    return redirect(f"{reverse('privacy')}#export")


@require_safe
@login_required
def download_export(request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    """One's archive, in pieces: it may be large."""
    export = get_object_or_404(_own_exports(request), pk=pk, status=DataExport.Status.DONE)
    try:
        file = export.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = StreamingHttpResponse(chunks(file), content_type="application/zip")
    response["Content-Length"] = str(export.file.size)
    name = f"visage-{timezone.localtime(export.created_at):%Y-%m-%d}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
@login_required
def delete_export(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Delete one's archive, or stop its preparation."""
    get_object_or_404(_own_exports(request), pk=pk).delete()
    messages.success(request, _("Export deleted."))
    return redirect(f"{reverse('privacy')}#export")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_account(request: HttpRequest) -> HttpResponse:
    """Close the account at once; a task deletes everything that belongs to it."""
    user = signed_in(request)
    form = ReauthenticateForm(request.POST or None, user=user)
    if request.method == "POST":
        if not ratelimit.consume(request, action="reauthenticate", user=user):
            messages.error(request, _("Too many attempts. Wait a minute and try again."))
        elif form.is_valid():
            # First of all, so that signing out still finds the account.
            logout(request)
            account_deletion.close(user)
            messages.success(
                request,
                _("Your account is closed. All data is being deleted, usually within a minute."),
            )
            return redirect("home")
    context = {
        "form": form,
        "n_photos": Upload.with_trash.for_owner(user).count(),
        "n_sessions": Recording.objects.for_owner(user).count(),
        "also": [text for goes in account_deletion.ALSO_GOES for text in goes(user)],
    }
    return render(request, "recognition/delete_account.html", context)


def _own_exports(request: HttpRequest) -> DataExportQuerySet:
    return DataExport.objects.for_owner(request.user)
