"""Whether a video stays when it has been looked at, for how long, and how it is handed out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpRequest, HttpResponseGone
from django.http.response import HttpResponseBase
from django.utils import timezone

from operations import stored_files
from operations.private_files import private_file
from recognition.models import Video, VideoQuerySet
from recognition.uploads.retention import days_kept

if TYPE_CHECKING:
    from accounts.models import User

#: What each container is served as, and its ending: fixed by its first bytes, which the decoder
#: went by as well. Whatever else a file may be, no browser takes it for that.
TYPES = {
    "mov": ("video/mp4", "mp4"),
    "matroska": ("video/webm", "webm"),
    "avi": ("video/x-msvideo", "avi"),
    "gif": ("image/gif", "gif"),
}
#: For what is none of these.
UNKNOWN = ("application/octet-stream", "bin")


def is_possible(owner: User) -> bool:
    """Whether somebody may keep videos: not where their photos are deleted at once."""
    return days_kept(owner.photo_retention_days) != 0


def how_long(owner: User) -> int | None:
    """Days for which somebody's videos are kept: as long as their photos; None for ever."""
    return days_kept(owner.photo_retention_days)


def until(video: Video) -> datetime | None:
    """When a kept video is due, counted from its upload; None for never."""
    days = how_long(video.owner)
    return None if days is None else video.created_at + timedelta(days=days)


def is_to_stay(video: Video) -> bool:
    """Whether a video is to be kept once it has been read to its end."""
    return video.keep and is_possible(video.owner)


def settle(video: Video) -> None:
    """Keep the file of a video that has just ended, or have it deleted.

    Only what was read to its end is kept: what the decoder did not accept is never handed out.
    """
    if video.status == Video.Status.DONE and is_to_stay(video):
        Video.objects.filter(pk=video.pk).update(checkpoint=None)
    else:
        forget_file(video)


def forget_file(video: Video) -> None:
    """Delete a video's file once the transaction stands."""
    Video.objects.filter(pk=video.pk).update(file="", stored_bytes=0, checkpoint=None)
    stored_files.delete_on_commit(video.file.name)


def due() -> VideoQuerySet:
    """Videos that were kept for long enough, counted from their upload as photos are."""
    found = Video.objects.none()
    kept = Video.objects.filter(status=Video.Status.DONE).exclude(file="")
    chosen = get_user_model().objects.order_by().values_list("photo_retention_days", flat=True)
    for choice in chosen.distinct():
        days = days_kept(choice)
        if days is not None:
            before = timezone.now() - timedelta(days=days)
            found |= kept.filter(owner__photo_retention_days=choice, created_at__lte=before)
    return found


def remove_due(limit: int = 500) -> int:
    """Delete the files that are due, oldest first; returns how many. Safe to run twice at once."""
    removed = 0
    for pk in due().order_by("created_at").values_list("pk", flat=True)[:limit]:
        with transaction.atomic():
            video = Video.objects.filter(pk=pk).select_for_update().first()
            if video is not None and video.is_kept:
                forget_file(video)
                removed += 1
    return removed


def as_response(video: Video, request: HttpRequest) -> HttpResponseBase:
    """A kept video for whoever may see it; 410 where it is not kept.

    Raises:
        Http404: it is not stored, though it should be.
    """
    if not video.is_kept:
        return HttpResponseGone()
    content_type, ending = TYPES.get(video.container, UNKNOWN)
    response = private_file(video.file, content_type, request)
    kind = "attachment" if "download" in request.GET else "inline"
    response["Content-Disposition"] = f'{kind}; filename="video-{video.pk}.{ending}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
