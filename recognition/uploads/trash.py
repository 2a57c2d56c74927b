"""The trash: deleted photos wait there, kept out of everything, until their days are over.

They count in storage and quotas, since they take the room. Retention, the deletion of an account
and whatever programs and staff delete are immediate, in the trash as anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from accounts import audit
from recognition.jobs.picking import MANY_WAITING
from recognition.models import Upload, UploadQuerySet
from recognition.uploads import actions, retention

if TYPE_CHECKING:
    from accounts.models import User

#: Photos that are deleted for good before others may have their turn.
AT_ONCE = 10


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
        _record("upload_trashed", _locked(uploads), actor)
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
        locked = _locked(uploads)
        _record("upload_restored", locked, actor)
        waiting = [upload.pk for upload in locked if not upload.is_finished]
        # The next sweep sends messages for the others: back and forth, they would fill the queue.
        for pk in waiting[:MANY_WAITING]:
            Upload.objects.enqueue(pk)
        return uploads.update(trashed_at=None)


def gone_at(upload: Upload) -> datetime:
    """When a photo in the trash is deleted for good."""
    assert upload.trashed_at is not None
    moments = [upload.trashed_at + timedelta(days=days())]
    if not upload.is_finished:
        kept = retention.days_kept(upload.owner.photo_retention_days)
        moments += [] if kept is None else [upload.created_at + timedelta(days=kept)]
    return min(moments)


def due() -> UploadQuerySet:
    """What was in the trash for long enough, or cannot stay there for so long.

    Retention takes photos that were looked at, and leaves their results. Of one that never was,
    there would be none, and nobody looks at it here.
    """
    trashed = Upload.with_trash.trashed()
    before = timezone.now() - timedelta(days=days())
    return trashed.filter(trashed_at__lte=before) | retention.kept_long_enough(trashed.unfinished())


def empty_due(is_over: Callable[[], bool] = lambda: False) -> int:
    """Delete for good what is due, some at a time until it `is_over`; returns how many photos."""
    n_deleted = 0
    while some := list(due().order_by("trashed_at").values_list("pk", flat=True)[:AT_ONCE]):
        n_deleted += actions.delete_uploads(due().filter(pk__in=some))
        if is_over():
            break
    return n_deleted


def _locked(uploads: UploadQuerySet) -> list[Upload]:
    rows = uploads.only("owner_id", "status").order_by("pk")
    return list(rows.select_for_update(of=("self",)))


def _record(action: str, uploads: list[Upload], actor: User) -> None:
    """Write one event for each person whose photos they are, however many and however often."""
    targets: dict[int, list[str]] = {}
    for upload in uploads:
        targets.setdefault(upload.owner_id, []).append(f"upload:{upload.pk}")
    for owner in get_user_model().objects.filter(pk__in=targets).order_by("pk"):
        audit.record_together(action, owner, actor, targets[owner.pk])
