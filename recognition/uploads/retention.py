"""How long photos are kept, in the trash as well; their results stay, with a blurred thumbnail."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit
from operations import stored_files
from operations.whole_files import is_full
from recognition.models import Prediction, Upload, UploadQuerySet
from recognition.models.uploads import random_path
from recognition.vision import images
from recognition.vision.errors import ImageError

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

#: A hundred years: what somebody chooses who keeps their photos where the default would not.
FOR_EVER = 36_500
#: Days that people may choose from, with :data:`FOR_EVER`; 0 is "results only".
CHOICES = (0, 1, 7, 30, 90, 365)
#: Photos that are removed before others may have their turn.
AT_ONCE = 10
FINISHED = (Upload.Status.DONE, Upload.Status.FAILED)


def days_kept(chosen: int | None) -> int | None:
    """Days that photos are kept under somebody's choice, the operator's default and maximum.

    Args:
        chosen: their ``photo_retention_days``.

    Returns:
        0 for until they are processed, None for ever.
    """
    days = settings.RETENTION_DEFAULT_DAYS if chosen is None else chosen
    limits = [n for n in (days, settings.RETENTION_MAXIMUM_DAYS) if n is not None]
    shortest = min(limits, default=FOR_EVER)
    return shortest if shortest < FOR_EVER else None


def describe(days: int | None) -> str:
    """A length of time as a choice."""
    if days is None:
        return _("Until I delete them")
    if days == 0:
        return _("Results only: delete each photo once it’s processed")
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


def choices() -> list[tuple[int | None, str]]:
    """What a person may choose as their ``photo_retention_days``, and how it is called."""
    longest = days_kept(FOR_EVER)
    allowed = [days for days in CHOICES if longest is None or days < longest]
    kept: list[tuple[int | None, str]] = [
        (FOR_EVER, describe(longest)),
        *((days, describe(days)) for days in reversed(allowed)),
    ]
    default = days_kept(None)
    if default == longest:
        return [(None, describe(default)), *kept[1:]]
    return [(None, _("%(length)s (default)") % {"length": describe(default)}), *kept]


def nearest(chosen: int | None) -> int | None:
    """The choice that stands for somebody's ``photo_retention_days``, which may be an old one."""
    offered = [days for days, _name in choices()]
    if chosen in offered:
        return chosen
    days = days_kept(chosen)
    if days is None:
        return None if days_kept(None) is None else FOR_EVER
    return max((n for n in offered if n is not None and n <= days), default=None)


def choose(user: User, days: int | None) -> None:
    """Keep somebody's photos and videos for so long, as one of :func:`choices`."""
    if days != user.photo_retention_days:
        audit.record_hourly("retention_changed", user, user)
    user.photo_retention_days = days
    user.save(update_fields=["photo_retention_days"])


def due_photos() -> UploadQuerySet:
    """Uploads whose photo was kept for long enough."""
    stored = Upload.with_trash.filter(status__in=FINISHED, photo_deleted_at=None)
    return kept_long_enough(stored)


def kept_long_enough(uploads: UploadQuerySet) -> UploadQuerySet:
    """Those whose owners keep photos for less time than these have been there."""
    due = Upload.with_trash.none()
    now = timezone.now()
    chosen = get_user_model().objects.order_by().values_list("photo_retention_days", flat=True)
    # A few different choices, each with its own deadline: dates plus a column of days would be
    # written differently for each database.
    for choice in chosen.distinct():
        days = days_kept(choice)
        if days is not None:
            before = now - timedelta(days=days)
            due |= uploads.filter(owner__photo_retention_days=choice, created_at__lte=before)
    return due


def remove_due_photos(is_over: Callable[[], bool] = lambda: False, limit: int = 500) -> int:
    """Delete photos that are due, oldest first until it `is_over`; returns how many.

    Safe to run twice at once.
    """
    removed = 0
    due = due_photos().order_by("created_at").values_list("pk", flat=True)[:limit]
    for number, pk in enumerate(due, start=1):
        try:
            removed += remove_photo(str(pk))
        except SoftTimeLimitExceeded:
            raise
        except Exception:  # One that cannot be removed must not keep the others.
            logger.exception("the photo of upload %s could not be removed", pk)
        # Those that cannot be removed come first again the next time: it must not end with them.
        if removed and number % AT_ONCE == 0 and is_over():
            break
    return removed


def apply_to(upload_id: str) -> bool:
    """Delete the photo of an upload that has just finished, where its owner keeps results only."""
    row = Upload.with_trash.filter(pk=upload_id, status__in=FINISHED)
    chosen = row.values_list("owner__photo_retention_days", flat=True).first()
    if not row.exists() or days_kept(chosen) != 0:
        return False
    return remove_photo(upload_id)


def remove_photo(upload_id: str) -> bool:
    """Delete a finished upload's photo and heat maps and blur its thumbnail.

    Returns:
        Whether this call did it: not where the upload is gone, being looked at, or was first
        done elsewhere. Then no file is left behind either.
    """
    upload = Upload.with_trash.filter(
        pk=upload_id, status__in=FINISHED, photo_deleted_at=None
    ).first()
    if upload is None:
        return False
    thumbnail = _blurred_thumbnail(upload)
    try:
        blurred = default_storage.save(random_path(upload, "thumbnail.jpg"), ContentFile(thumbnail))
    except OSError as error:
        if not is_full(error):
            raise
        # The photo has to go all the same, and is what makes room: pages show a grey picture.
        blurred = ""
    with stored_files.deleted_on_failure(blurred), transaction.atomic():
        done = Upload.with_trash.filter(
            pk=upload.pk, status__in=FINISHED, photo_deleted_at=None
        ).update(
            image="",
            thumbnail=blurred,
            stored_bytes=len(thumbnail) if blurred else 0,
            photo_deleted_at=timezone.now(),
        )
        if done:
            # They show the face as well as the photo does.
            maps = Prediction.with_trash.filter(upload=upload).exclude(heat_map="")
            names = list(maps.values_list("heat_map", flat=True))
            maps.update(heat_map="", heat_map_bytes=0)
            stored_files.delete_on_commit(*stored_files.names_of(upload), *names)
    if not done:
        stored_files.delete(blurred)
    return bool(done)


def _blurred_thumbnail(upload: Upload) -> bytes:
    try:
        with upload.thumbnail.open("rb") as file:
            return images.blurred(file.read())
    except (FileNotFoundError, ImageError):
        # The photo has to go all the same.
        return images.blank(upload.width, upload.height)
