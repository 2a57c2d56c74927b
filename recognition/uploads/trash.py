"""The trash: deleted photos wait there, kept out of everything, until their days are over.

They count in storage and quotas, since they take the room. Retention, the deletion of an account
and whatever programs and staff delete are immediate, in the trash as anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit
from recognition.models import Upload, UploadQuerySet
from recognition.uploads import actions

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Moved:
    """How many photos were moved, and the moment by which :func:`moved_at` finds them again."""

    count: int
    moment: datetime


def days() -> int:
    """How long photos wait there; 0 where there is no trash."""
    return int(settings.TRASH_DAYS)


def move(uploads: UploadQuerySet, actor: User) -> Moved:
    """Move photos to the trash; a worker that is busy with one drops it."""
    moment = timezone.now()
    with transaction.atomic():
        for upload in uploads.select_related("owner").select_for_update(of=("self",)):
            audit.record("upload_trashed", upload.owner, actor, f"upload:{upload.pk}")
        return Moved(uploads.update(trashed_at=moment), moment)


def of(user: User) -> UploadQuerySet:
    """What is in somebody's trash, the last one first."""
    trashed = Upload.with_trash.trashed().for_owner(user)
    return trashed.order_by("-trashed_at", "-created_at", "-id")


def moved_at(user: User, moment: datetime) -> UploadQuerySet:
    """What somebody moved to the trash in one go."""
    return of(user).filter(trashed_at=moment)


def restore(uploads: UploadQuerySet, actor: User) -> int:
    """Take photos out of the trash, and go on where they had not been looked at."""
    with transaction.atomic():
        for upload in uploads.select_related("owner").select_for_update(of=("self",)):
            audit.record("upload_restored", upload.owner, actor, f"upload:{upload.pk}")
            if not upload.is_finished:
                Upload.objects.enqueue(upload.pk)
        return uploads.update(trashed_at=None)


def gone_at(upload: Upload) -> datetime:
    """When a photo in the trash is deleted for good."""
    assert upload.trashed_at is not None
    return upload.trashed_at + timedelta(days=days())


def empty_due(limit: int = 500) -> int:
    """Delete for good what was in the trash for long enough; returns how many photos."""
    before = timezone.now() - timedelta(days=days())
    due = Upload.with_trash.trashed().filter(trashed_at__lte=before)
    some = list(due.order_by("trashed_at").values_list("pk", flat=True)[:limit])
    return actions.delete_uploads(due.filter(pk__in=some)) if some else 0
