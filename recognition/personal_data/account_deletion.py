"""Deleting an account with everything that belongs to it.

It is closed at once, in the request; a task then deletes it piece by piece. Whatever creates
something for a person does so under :func:`recognition.quotas.lock`, which refuses a closed
account, so nothing comes after.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import redis
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import ApiToken
from operations import stored_files
from recognition import quotas
from recognition.jobs import broker, messages
from recognition.models import DataExport, Prediction, Upload, Video, Webhook, WebhookDelivery

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

#: Name of the Celery task that deletes one.
TASK = "recognition.delete_account"
#: Uploads that are deleted in one transaction.
BATCH = 200
#: Sentences about what else goes with an account, by apps that keep more of a person.
ALSO_GOES: list[Callable[[User], list[str]]] = []
#: What apps that keep more of a person delete first, piece by piece, however long it takes.
DELETED_FIRST: list[Callable[[User], None]] = []
#: Seconds after which a deletion is queued again, in case its task was lost.
REQUEUE_SECONDS = 60


def close(user: User, actor: User | None = None) -> None:
    """Let nobody in any more, by password, session, token or open socket, and have it deleted.

    Args:
        user: whose account, which may have been disabled before.
        actor: who does it; by default `user`.

    Raises:
        AccountClosed: that was done before.
    """
    with transaction.atomic():
        people = get_user_model().objects.select_for_update()
        locked = people.filter(pk=user.pk, deletion_requested_at=None).first()
        if locked is None:
            raise quotas.AccountClosed
        locked.is_active = False
        locked.deletion_requested_at = timezone.now()
        locked.set_unusable_password()
        locked.save()
        ApiToken.objects.filter(user=locked).delete()
        Webhook.objects.filter(owner=locked).update(is_active=False)
        audit.record("account_deletion_requested", locked, actor or locked)
        messages.send_on_commit(TASK, locked.pk)


def overdue() -> list[int]:
    """Closed accounts that are still there."""
    before = timezone.now() - timedelta(seconds=REQUEUE_SECONDS)
    closed = get_user_model().objects.filter(deletion_requested_at__lt=before)
    return list(closed.values_list("pk", flat=True))


def sweep() -> None:
    """Queue again the deletions whose task was lost."""
    for pk in overdue():
        messages.send(TASK, pk)


def delete(user_id: int) -> bool:
    """Delete a closed account; safe to be stopped, repeated and run twice at once.

    Returns:
        Whether there was one to delete.
    """
    user = get_user_model().objects.filter(pk=user_id, deletion_requested_at__isnull=False).first()
    if user is None:
        return False
    _delete_sessions(user)
    _forget_queued_work(user)
    while _delete_some_uploads(user):
        pass
    for delete_first in DELETED_FIRST:
        delete_first(user)
    with transaction.atomic():
        videos = list(Video.objects.filter(owner=user).select_for_update())
        stored_files.delete(*(video.file.name for video in videos))
        exports = DataExport.objects.filter(owner=user).select_for_update()
        stored_files.delete(*(export.file.name for export in exports))
        content_type = ContentType.objects.get_for_model(get_user_model())
        # The administration's log repeats the e-mail address.
        LogEntry.objects.filter(content_type=content_type, object_id=str(user.pk)).delete()
        user.delete()
    logger.info("account %d was deleted", user_id)
    return True


def _delete_sessions(user: User) -> None:
    for session in Session.objects.iterator():
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()


def _forget_queued_work(user: User) -> None:
    """Take what waits for a worker out of the queue, which may be long."""
    ids = {
        str(pk)
        for rows in (
            Upload.with_trash.filter(owner=user),
            DataExport.objects.filter(owner=user),
            Video.objects.filter(owner=user),
            WebhookDelivery.objects.filter(webhook__owner=user),
        )
        for pk in rows.values_list("pk", flat=True)
    }
    try:
        broker.forget(ids)
    except redis.RedisError as error:
        # What is left there finds no row and does nothing.
        logger.warning("the queue cannot be reached: %s", type(error).__name__)


def _delete_some_uploads(user: User) -> int:
    with transaction.atomic():
        # Locked, so that no task puts another file in their place meanwhile.
        mine = Upload.with_trash.filter(owner=user).order_by("pk").select_for_update()
        some = list(mine[:BATCH])
        shown = Prediction.with_trash.filter(upload__in=some).exclude(heat_map="")
        seen = list(shown.only("heat_map"))
        # Files first: should this be cut off here, the rows still tell what is to be deleted.
        for row in (*some, *seen):
            stored_files.delete(*stored_files.names_of(row))
        Upload.with_trash.filter(pk__in=[upload.pk for upload in some]).delete()
    return len(some)
