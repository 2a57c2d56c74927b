"""The pages: send a video, and stop reading one. What was seen is its recording's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recognition.models import Video
from recognition.refusals import Refusal
from recognition.videos import actions
from recognition.videos.forms import NewVideo
from recognition.vision.errors import VideoError
from recognition.wording import refusal_text

if TYPE_CHECKING:
    from accounts.models import User


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_video(request: HttpRequest) -> HttpResponse:
    """The form; a video that is accepted leads to its recording."""
    form = NewVideo(request.POST or None, request.FILES or None)
    if request.method == "POST":
        if form.is_valid():
            try:
                video = actions.create_video(
                    cast("User", request.user),
                    form.cleaned_data["video"],
                    frames_per_second=form.cleaned_data["frames_per_second"],
                )
                return redirect(video.recording)
            except VideoError as error:
                messages.error(request, refusal_text(error))
            except Refusal as error:
                messages.error(request, str(error))
        else:
            messages.error(request, _("Choose a video."))
    context = {
        "form": form,
        "maximum_megabytes": settings.VIDEO_MAXIMUM_BYTES // (1024 * 1024),
        "maximum_minutes": settings.VIDEO_MAXIMUM_MINUTES,
    }
    return render(request, "recognition/new_video.html", context)


@require_POST
@login_required
def cancel_video(request: HttpRequest, pk: UUID) -> HttpResponse:
    video = get_object_or_404(Video.objects.for_owner(request.user), pk=pk)
    if actions.cancel(video, cast("User", request.user)):
        messages.success(request, _("Stopped. What was seen so far is kept."))
    return redirect(video.recording)
