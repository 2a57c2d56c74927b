"""The pages: send a video, stop reading it, watch it, delete it. Its recording has its own page."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import signed_in
from recognition.models import Video
from recognition.refusals import Refusal
from recognition.videos import actions, keeping
from recognition.videos.forms import NewVideo
from recognition.vision.errors import VideoError
from recognition.wording import refusal_text


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_video(request: HttpRequest) -> HttpResponse:
    """The form; a video that is accepted leads to its recording."""
    user = signed_in(request)
    initial = {"keep": settings.VIDEO_KEEP}
    form = NewVideo(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST":
        if form.is_valid():
            try:
                video = actions.create_video(
                    user,
                    form.cleaned_data["video"],
                    frames_per_second=form.cleaned_data["frames_per_second"],
                    keep=form.cleaned_data["keep"],
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
        "transfers": reverse("api-video-transfer-list"),
        "may_keep": keeping.is_possible(user),
        "kept_for": keeping.how_long(user),
    }
    return render(request, "recognition/new_video.html", context)


@require_POST
@login_required
def cancel_video(request: HttpRequest, pk: UUID) -> HttpResponse:
    video = get_object_or_404(Video.objects.for_owner(request.user), pk=pk)
    if actions.cancel(video, signed_in(request)):
        messages.success(request, _("Stopped. What was seen so far is kept."))
    return redirect(video.recording)


@require_safe
@login_required
def video_file(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """A kept video, whole or in parts, for its owner alone."""
    return keeping.as_response(
        get_object_or_404(Video.objects.for_owner(request.user), pk=pk), request
    )


@require_POST
@login_required
def forget_video(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Delete a kept video, and leave what was seen in it."""
    video = get_object_or_404(Video.objects.for_owner(request.user), pk=pk)
    if actions.forget(video, signed_in(request)):
        messages.success(request, _("The video has been deleted; its results are still here."))
    return redirect(video.recording)
