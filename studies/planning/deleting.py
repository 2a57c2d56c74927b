"""Delete a study with everything in it: at once, or on its day.

Piece by piece, so that it can be cut off anywhere and run again, also twice at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone

from accounts import audit
from operations import rates, stored_files
from operations.row_locks import lock_to_delete
from recognition.jobs import messages
from recognition.models import Recording
from recognition.personal_data import export
from recognition.webhooks import deliveries
from studies.models import Participation, PersonalLink, Study

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

logger = logging.getLogger(__name__)

#: Name of the Celery task that deletes the studies whose day has come.
TASK = "studies.sweep_studies"
#: Participants that go in one transaction.
BATCH = 20
#: Hours after which a preview goes of which nothing more has come. It shows a face of the team's,
#: and nobody knows whose.
PREVIEW_HOURS = 24
#: Seconds for which a request or a task deletes one, and for which others' work then comes first.
TURN_SECONDS, PAUSE_SECONDS = 5.0, 5.0
#: Turns that requests take at one study: many at once would wait for each other's rows.
TURNS = "1/m"
#: Tasks that go on with a deletion: somewhat more than one after the other sends.
TASKS = "8/m"
#: What webhooks are told of a participant under.
FINISHED_EVENT = "participation.finished"
#: Called with the primary key of each study that is gone, for what is kept elsewhere than in the
#: database and the storage.
AFTER: list[Callable[[UUID], None]] = []


def ask(study: Study, actor: User) -> bool:
    """Delete a study as its owner wants; whoever asks again meanwhile waits for nobody.

    Returns:
        Whether it is gone.
    """
    # Whatever becomes of this turn, the task goes on.
    Study.objects.filter(pk=study.pk).update(delete_on=timezone.now().date())
    if rates.too_often("study deletions", str(study.pk), TURNS) is not None:
        return False
    return delete(study, actor)


def delete(study: Study, actor: User | None = None) -> bool:
    """Delete a study for good, or as much of it as a turn takes; the rest goes by a task.

    Args:
        study: which one.
        actor: who does it; None where its day has come.

    Returns:
        Whether it is gone.
    """
    ends_at = time.monotonic() + TURN_SECONDS
    while delete_part(study, actor):
        if time.monotonic() >= ends_at:
            Study.objects.filter(pk=study.pk).update(delete_on=timezone.now().date())
            # Each task goes on for all, so that few do as much as many.
            if rates.too_often("turns of deletion", "", TASKS) is None:
                messages.send_on_commit(TASK, delay=PAUSE_SECONDS)
            return False
    return True


def delete_part(study: Study, actor: User | None = None) -> bool:
    """Close a study, delete a few participants, or itself once it has none.

    Each in a transaction of its own where the caller has none: who reports or withdraws meanwhile
    locks rows in another order.

    Returns:
        Whether anything is left.
    """
    rows = Study.objects.filter(pk=study.pk)
    closed: dict[str, Any] = {
        "status": Study.Status.CLOSED, "is_link_open": False, "next_owner": None,
    }  # fmt: skip
    with transaction.atomic():
        # Nobody comes in any more or takes it over, however long the rest takes.
        if rows.exclude(**closed).update(**closed) or _delete_some(study):
            return True
        last = rows.select_for_update(of=("self",)).select_related("owner")
        locked = last.first()
        if locked is None:
            return False
        audit.record("study_deleted", locked.owner, actor, f"study:{study.pk}")
        locked.delete()
    logger.info("study %s was deleted", study.pk)
    return False


def delete_participations(rows: QuerySet[Participation]) -> None:
    """Delete previews with what belongs to them; who reports for one at this moment comes before.

    Args:
        rows: all are loaded.
    """
    with transaction.atomic():
        lock_to_delete(rows)
        for participation in rows:
            participation.delete()


def delete_participant(found: Participation) -> Study | None:
    """Delete all that somebody gave, and what the researchers said of them: a code and attributes.

    Returns:
        The study that it was; None where they are gone already.
    """
    with transaction.atomic():
        study = Study.objects.select_for_update(no_key=True).filter(pk=found.study_id).first()
        mine = Participation.objects.select_for_update().filter(pk=found.pk)
        if study is None or not mine.exists():
            return None  # Withdrawn by another window at the same moment, or gone with the study.
        mine.get().delete()  # What belongs to it goes with it, see below.
        if found.personal_link_id is not None:
            PersonalLink.objects.filter(pk=found.personal_link_id).delete()
        if not found.is_preview:
            Study.objects.filter(pk=study.pk).update(n_withdrawn=F("n_withdrawn") + 1)
    return study


def delete_old_previews() -> None:
    """Delete what the team only tried, a day after; what is left of a turn goes by the next."""
    before = timezone.now() - timedelta(hours=PREVIEW_HOURS)
    old = Participation.objects.filter(is_preview=True, seen_at__lt=before).order_by("pk")
    ends_at = time.monotonic() + TURN_SECONDS
    while some := list(old.values_list("pk", flat=True)[:BATCH]):
        delete_participations(old.filter(pk__in=some))
        if time.monotonic() >= ends_at:
            break


def delete_due() -> int:
    """Delete the studies whose day has come; returns how many.

    One that takes longer than a turn is the last for now: it goes on with the next task.
    """
    due = Study.objects.filter(delete_on__lte=timezone.now().date())
    n_deleted = 0
    for study in due.order_by("delete_on"):
        try:
            if not delete(study):
                break
            n_deleted += 1
        except SoftTimeLimitExceeded:
            raise
        except Exception:  # One that cannot be deleted must not keep the others.
            logger.exception("study %s could not be deleted", study.pk)
    return n_deleted


def _delete_some(study: Study) -> int:
    with transaction.atomic():
        some = list(study.participations.select_for_update().order_by("pk")[:BATCH])
        Participation.objects.filter(pk__in=[one.pk for one in some]).delete()
    return len(some)


def _delete_stray_files(pk: UUID) -> None:
    """What lies in the study's folder though no row spoke of it."""
    folder = f"studies/{pk}"
    try:
        _folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    except Exception:  # Whatever a bucket raises: the study is gone all the same.
        logger.exception("the folder of study %s could not be read", pk)
        return
    stored_files.delete_or_leave(*(f"{folder}/{name}" for name in names))
    with suppress(Exception):  # Buckets have no folders, and may say nothing at all.
        default_storage.delete(folder)


@receiver(post_delete, sender=Study)
def _delete_the_rest(instance: Study, **kwargs: Any) -> None:
    """What no row speaks of, whichever way the study goes: also with its owner's account."""
    pk = instance.pk

    def delete_the_rest() -> None:
        for forget in AFTER:
            forget(pk)
        _delete_stray_files(pk)

    transaction.on_commit(delete_the_rest)


@receiver(post_delete, sender=Participation)
def _delete_recording(instance: Participation, **kwargs: Any) -> None:
    """A participant's series belongs to nobody else; it goes whichever way the participant does.

    So does what webhooks were told, and what they are still to be told; and what the study's owner
    had exported.
    """
    if not instance.is_preview:
        for owner in Study.objects.filter(pk=instance.study_id).values_list("owner_id", flat=True):
            export.forget(owner, since=instance.consented_at)
    deliveries.forget([instance.pk])
    if instance.recording_id is not None:
        series = Recording.objects.filter(pk=instance.recording_id)
        lock_to_delete(series)
        series.delete()
