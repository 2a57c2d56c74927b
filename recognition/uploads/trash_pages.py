"""Pages of the trash, and how photos get there: with a toast that undoes it, or a page that asks.

A form that deletes asks first unless it says ``sure``. The pages' script adds that to what can be
undone; without it, and before anything that is for good, people see the question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.http import signed_in
from recognition.dates import read_moment
from recognition.models import Upload, UploadQuerySet
from recognition.uploads import actions
from recognition.uploads import trash as bin_of

if TYPE_CHECKING:
    from accounts.models import User

PHOTOS_PER_PAGE = 48


def discard(request: HttpRequest, uploads: UploadQuerySet, *, back: str) -> HttpResponse:
    """Move photos to the trash, with a toast to undo it; where there is no trash, delete them.

    Args:
        request: a form's. Without ``sure`` it is answered by a page that asks.
        uploads: the person's own.
        back: where they come from: a path.
    """
    user = signed_in(request)
    has_trash = bin_of.days() > 0
    if "sure" not in request.POST:
        return _ask(request, uploads.count(), back, is_for_good=not has_trash)
    if not has_trash:
        _say_deleted(request, actions.delete_uploads(uploads, user))
        return redirect("history")
    moved = bin_of.move(uploads, user)
    text = ngettext(
        "%(count)d photo moved to the trash.", "%(count)d photos moved to the trash.", moved.count
    )
    # The moment is what the toast sends back.
    messages.success(request, text % {"count": moved.count}, extra_tags=moved.moment.isoformat())
    return redirect("history")


@require_POST
@login_required
def delete_upload(request: HttpRequest, pk: UUID) -> HttpResponse:
    own = Upload.objects.for_owner(request.user).filter(pk=pk)
    upload = own.first()
    if upload is None:
        raise Http404
    return discard(request, own, back=upload.get_absolute_url())


@require_safe
@login_required
def trash(request: HttpRequest) -> HttpResponse:
    """What one deleted and can still restore, the last one first."""
    found = bin_of.of(signed_in(request)).select_related("owner").prefetch_related("predictions")
    page = Paginator(found, PHOTOS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "days": bin_of.days()}
    return render(request, "recognition/trash.html", context)


@require_POST
@login_required
def trashed_uploads(request: HttpRequest) -> HttpResponse:
    """Restore or delete for good: what is ticked, was ``moved`` in one go, or ``all`` of it."""
    user = signed_in(request)
    chosen = _chosen(request, user)
    if request.POST.get("action") == "restore":
        first = chosen.first()
        count = bin_of.restore(chosen, user)
        text = ngettext("%(count)d photo restored.", "%(count)d photos restored.", count)
        messages.success(request, text % {"count": count})
        return redirect(first) if first is not None and count == 1 else redirect("history")
    if not chosen.exists():
        messages.info(request, _("Select some photos first."))
        return redirect("trash")
    if "sure" not in request.POST:
        return _ask(request, chosen.count(), redirect("trash").url, is_for_good=True)
    _say_deleted(request, actions.delete_uploads(chosen, user))
    return redirect("trash")


def _chosen(request: HttpRequest, user: User) -> UploadQuerySet:
    mine = bin_of.of(user)
    if "all" in request.POST:
        return mine
    try:
        moment = read_moment(request.POST.get("moved", ""))
        if moment is not None:
            return bin_of.moved_at(user, moment)
        return mine.filter(pk__in=request.POST.getlist("upload"))
    except (ValueError, ValidationError):
        raise Http404 from None


def _ask(request: HttpRequest, count: int, back: str, *, is_for_good: bool) -> HttpResponse:
    """The question, with all that was sent, so that the answer can repeat it."""
    sent = [
        (name, value)
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken"
        for value in values
    ]
    context = {
        "count": count,
        "back": back,
        "is_for_good": is_for_good,
        "days": bin_of.days(),
        "sent": sent,
    }
    return render(request, "recognition/delete_uploads.html", context)


def _say_deleted(request: HttpRequest, count: int) -> None:
    text = ngettext(
        "%(count)d photo permanently deleted.", "%(count)d photos permanently deleted.", count
    )
    messages.success(request, text % {"count": count})
