"""Deleting an account with everything that belongs to it.

It is closed at once, in the request; a task then deletes it piece by piece, and where that takes
long in turns, so that others do not wait for it. Whatever creates something for a person does so
under :func:`recognition.quotas.lock`, which refuses a closed account, so nothing comes after. What
sockets create only looks whether it is closed; the account's row keeps it from coming after that.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import redis
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit, pending_sign_ins
from accounts.models import ApiToken, AuditEvent
from operations import stored_files
from operations.row_locks import lock_to_delete
from recognition import quotas
from recognition.jobs import broker, messages
from recognition.models import (
    DataExport,
    ModelComparison,
    Prediction,
    Recording,
    Upload,
    Video,
    Webhook,
    WebhookDelivery,
)
from recognition.webhooks import deliveries

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

#: Name of the Celery task that deletes one.
TASK = "recognition.delete_account"
#: What is deleted in one transaction: uploads, recordings (one may have thousands of parts and
#: markers), and rows to which nothing belongs.
BATCH, RECORDINGS_AT_ONCE, ROWS_AT_ONCE = 200, 20, 5000
#: Sentences about what else goes with an account, by apps that keep more of a person.
ALSO_GOES: list[Callable[[User], list[str]]] = []
#: What apps that keep more of a person delete first. Each deletes a part, in a transaction that its
#: caller has begun, and says whether there is more.
DELETED_FIRST: list[Callable[[User], bool]] = []
#: Seconds for which one is worked on, and for which others' work then comes first: an account may
#: have hundreds of thousands of photos.
TURN_SECONDS, PAUSE_SECONDS = 5.0, 5.0
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
        # Not of the key: who holds the webhooks that are switched off below writes rows that are
        # the person's, and the two would wait for each other.
        people = get_user_model().objects.select_for_update(no_key=True)
        locked = people.filter(pk=user.pk, deletion_requested_at=None).first()
        if locked is None:
            raise quotas.AccountClosed
        locked.is_active = False
        locked.deletion_requested_at = timezone.now()
        locked.deletion_due_at = timezone.now() + timedelta(seconds=REQUEUE_SECONDS)
        locked.set_unusable_password()
        locked.save()
        ApiToken.objects.filter(user=locked).delete()
        deliveries.switch_off(Webhook.objects.filter(owner=locked))
        audit.record("account_deletion_requested", locked, actor or locked)
        messages.send_on_commit(TASK, locked.pk)


def overdue() -> list[int]:
    """Closed accounts at which no task seems to be."""
    lost = Q(deletion_due_at=None) | Q(deletion_due_at__lte=timezone.now())
    closed = get_user_model().objects.filter(lost, deletion_requested_at__isnull=False)
    return list(closed.values_list("pk", flat=True))


def sweep() -> None:
    """Queue again the deletions whose task was lost."""
    for pk in overdue():
        with transaction.atomic():
            is_lost = _is_ours(pk)
        if is_lost:
            messages.send(TASK, pk)


def delete(user_id: int, *, goes_on: bool = False) -> bool:
    """Delete a closed account, or as much of it as a turn takes; the rest then waits for the next.

    Safe to be stopped and repeated; of two at once one does nothing.

    Args:
        user_id: whose.
        goes_on: whether there was a turn before.

    Returns:
        Whether the account is gone by this call.
    """
    user = get_user_model().objects.filter(pk=user_id, deletion_requested_at__isnull=False).first()
    if user is None:
        return False
    if not goes_on:
        with transaction.atomic():
            if not _is_ours(user.pk):
                return False
        _forget_queued_work(user)
    ends_at = time.monotonic() + TURN_SECONDS
    for delete_some in (
        _delete_some_uploads,
        _delete_some_recordings,
        *DELETED_FIRST,
        _delete_some_rows,
    ):
        is_more = True
        while is_more:
            with transaction.atomic():
                if not _is_ours(user.pk):
                    return False
                is_more = delete_some(user)
            if is_more and time.monotonic() >= ends_at:
                messages.send(TASK, user_id, True, delay=PAUSE_SECONDS)
                return False
    _delete_sessions(user)
    with transaction.atomic():
        if not _is_ours(user.pk):
            return False
        videos = list(Video.objects.filter(owner=user).select_for_update())
        stored_files.delete_before_rows(*(video.file.name for video in videos))
        exports = DataExport.objects.filter(owner=user).select_for_update()
        stored_files.delete_before_rows(*(export.file.name for export in exports))
        content_type = ContentType.objects.get_for_model(get_user_model())
        # The administration's log repeats the e-mail address.
        LogEntry.objects.filter(content_type=content_type, object_id=str(user.pk)).delete()
        user.delete()
    logger.info("account %d was deleted", user_id)
    return True


def _is_ours(user_id: int) -> bool:
    """Whether no other task is at it, until the transaction ends; then it is not lost for now."""
    people = get_user_model().objects.select_for_update(no_key=True, skip_locked=True)
    if not people.filter(pk=user_id, deletion_requested_at__isnull=False):
        return False
    due_at = timezone.now() + timedelta(seconds=REQUEUE_SECONDS)
    get_user_model().objects.filter(pk=user_id).update(deletion_due_at=due_at)
    return True


def _delete_sessions(user: User) -> None:
    for session in Session.objects.iterator():
        held = session.get_decoded()
        if held.get(SESSION_KEY) == str(user.pk) or pending_sign_ins.is_of(held, user):
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


def _delete_some_uploads(user: User) -> bool:
    # Locked, so that no task puts another file in their place meanwhile.
    mine = Upload.with_trash.filter(owner=user).order_by("pk").select_for_update()
    some = list(mine[:BATCH])
    shown = Prediction.with_trash.filter(upload__in=some).exclude(heat_map="")
    seen = list(shown.only("heat_map"))
    # Files first: should this be cut off here, the rows still tell what is to be deleted. What the
    # storage keeps all the same is tried again once they are gone.
    for row in (*some, *seen):
        stored_files.delete_before_rows(*stored_files.names_of(row))
    ids = [upload.pk for upload in some]
    ModelComparison.objects.forget(ids)
    deliveries.forget(ids)
    Upload.with_trash.filter(pk__in=ids).delete()
    return len(some) == BATCH


def _delete_some_recordings(user: User) -> bool:
    some = Recording.objects.filter(owner=user).order_by("pk").values_list("pk", flat=True)
    ids = list(some[:RECORDINGS_AT_ONCE])
    # First, as a worker does that saves what it saw in a video.
    videos = Video.objects.filter(recording__in=ids).order_by("pk").select_for_update(of=("self",))
    stored_files.delete_before_rows(*(video.file.name for video in videos))
    recordings = Recording.objects.filter(pk__in=ids)
    lock_to_delete(recordings)
    recordings.delete()
    return len(ids) == RECORDINGS_AT_ONCE


def _delete_some_rows(user: User) -> bool:
    """What is small, and may be many: events of the trail, and messages to webhooks."""
    is_more = False
    for rows in (
        AuditEvent.objects.filter(user=user),
        WebhookDelivery.objects.filter(webhook__owner=user),
    ):
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:ROWS_AT_ONCE])
        rows.model._default_manager.filter(pk__in=ids).delete()
        is_more |= len(ids) == ROWS_AT_ONCE
    return is_more
