"""The life of an upload between the queue and its result, as transitions of its row.

Any task may run twice, at once or again, and be killed at any point. A claim (the task's id and
a deadline) lets one of them work; whoever finishes must still hold it, so results are written
once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from operations import metrics
from recognition.models import Prediction, Upload, UploadQuerySet
from recognition.uploads import corrections
from recognition.vision.types import Recognition
from recognition.webhooks import deliveries

GAVE_UP = "gave_up"


def claim(upload_id: str, task_id: str) -> Upload | None:
    """Begin an attempt.

    Returns:
        The upload to work on; None where it is gone, finished, in other hands, or has just been
        given up after :data:`settings.MAXIMUM_ATTEMPTS` attempts.
    """
    now = timezone.now()
    # Until its deadline a claim keeps the same task out, too: a queue that redelivers a message
    # does not tell whether the first delivery's worker has died or is still at it.
    free = Q(status=Upload.Status.PENDING) | Q(
        status=Upload.Status.PROCESSING, claimed_until__lt=now
    )
    claimable = Upload.objects.filter(free, pk=upload_id)
    began = claimable.filter(attempts__lt=settings.MAXIMUM_ATTEMPTS).update(
        status=Upload.Status.PROCESSING,
        attempts=F("attempts") + 1,
        claim=task_id,
        claimed_until=now + timedelta(seconds=settings.CLAIM_SECONDS),
    )
    if began:
        return Upload.objects.filter(pk=upload_id).first()
    # Only who has had them all: another task may have given it back in the meantime.
    spent = claimable.filter(attempts__gte=settings.MAXIMUM_ATTEMPTS)
    if _end(spent, **_failed(GAVE_UP, _gave_up_message())):
        metrics.UPLOADS_FINISHED.add(Upload.Status.FAILED.value, GAVE_UP)
    return None


def complete(upload: Upload, recognition: Recognition, model_version: str) -> bool:
    """Write the result in one transaction; False where the claim was lost meanwhile."""
    with metrics.STAGES.time("save"), transaction.atomic():
        held = _held(upload).update(
            status=Upload.Status.DONE,
            claim="",
            claimed_until=None,
            error_code="",
            error_message="",
            model_version=model_version,
            finished_at=timezone.now(),
        )
        if not held:
            return False
        before = Prediction.objects.filter(upload=upload)
        now = [
            Prediction(
                upload=upload,
                index=index,
                x=face.box.x,
                y=face.box.y,
                width=face.box.width,
                height=face.box.height,
                label=face.label,
                confidence=face.confidence,
                probabilities=face.probabilities,
                uncertain=face.uncertain,
                rejected=face.rejected or "",
                roll=face.roll,
            )
            for index, face in enumerate((*recognition.faces, *recognition.rejected))
        ]
        corrections.carry_over(before, now)
        before.delete()
        Prediction.objects.bulk_create(now)
        _tell(upload.pk)
    metrics.UPLOADS_FINISHED.add(Upload.Status.DONE.value, "")
    return True


def fail(upload: Upload, code: str, message: str) -> bool:
    """End without a result, with a reason for people; False where the claim was lost."""
    failed = _end(_held(upload), **_failed(code, message))
    if failed:
        metrics.UPLOADS_FINISHED.add(Upload.Status.FAILED.value, code)
    return failed


def release(upload: Upload) -> bool:
    """Give the upload back for another attempt.

    Returns:
        True where it waits again; False where that was the last attempt, or the claim was lost.
    """
    if upload.attempts >= settings.MAXIMUM_ATTEMPTS:
        fail(upload, GAVE_UP, _gave_up_message())
        return False
    return bool(
        _held(upload).update(
            status=Upload.Status.PENDING, claim="", claimed_until=None, queued_at=timezone.now()
        )
    )


def reset(uploads: UploadQuerySet) -> list[str]:
    """Make failed uploads wait again, with all their attempts; returns the ids of those changed.

    Those whose photo is gone stay as they are: there is nothing left to look at.
    """
    changed = []
    failed = Upload.objects.filter(status=Upload.Status.FAILED, photo_deleted_at=None)
    for pk in uploads.filter(status=Upload.Status.FAILED).values_list("pk", flat=True):
        if failed.filter(pk=pk).update(
            status=Upload.Status.PENDING,
            attempts=0,
            error_code="",
            error_message="",
            finished_at=None,
            queued_at=None,
        ):
            changed.append(str(pk))
    return changed


def rerun(uploads: UploadQuerySet) -> list[str]:
    """Make uploads that are done, and still have their photo, wait for the active model.

    What was seen stays until the new result replaces it. Returns the ids of those changed.
    """
    done = Upload.objects.filter(status=Upload.Status.DONE, photo_deleted_at=None)
    return [
        str(pk)
        for pk in uploads.filter(status=Upload.Status.DONE).values_list("pk", flat=True)
        if done.filter(pk=pk).update(
            status=Upload.Status.PENDING,
            attempts=0,
            finished_at=None,
            queued_at=timezone.now(),
        )
    ]


def take_overdue(limit: int = 500, *, patience: int = 1) -> list[str]:
    """Find uploads whose task was lost, and mark each as queued now.

    Of several sweeps at the same time, one gets each upload.

    Args:
        limit: the most that are taken at once.
        patience: how many times :data:`settings.REQUEUE_SECONDS` one may wait for its turn.

    Returns:
        The ids to put into the queue.
    """
    now = timezone.now()
    lost = Q(status=Upload.Status.PENDING) & (
        Q(queued_at=None)
        | Q(queued_at__lt=now - timedelta(seconds=patience * settings.REQUEUE_SECONDS))
    )
    # `queued_at` keeps the next sweep from queueing it again before a worker has come to it.
    abandoned = Q(status=Upload.Status.PROCESSING, claimed_until__lt=now) & Q(
        queued_at__lt=now - timedelta(seconds=settings.REQUEUE_SECONDS)
    )
    overdue = Upload.objects.filter(lost | abandoned)
    candidates = overdue.order_by("created_at").values_list("pk", flat=True)[:limit]
    return [str(pk) for pk in candidates if overdue.filter(pk=pk).update(queued_at=now)]


def _gave_up_message() -> str:
    return gettext_noop("We tried several times and could not process this photo.")


def _failed(code: str, message: str) -> dict[str, Any]:
    """The fields of an upload that ended without a result."""
    return {
        "status": Upload.Status.FAILED,
        "claim": "",
        "claimed_until": None,
        "error_code": code,
        "error_message": message,
        "finished_at": timezone.now(),
    }


def _end(uploads: UploadQuerySet, **fields: Any) -> bool:
    """End one upload, if it is among `uploads`, and note the news of it in one transaction."""
    with transaction.atomic():
        pk = uploads.values_list("pk", flat=True).first()
        if pk is None or not uploads.filter(pk=pk).update(**fields):
            return False
        _tell(pk)
    return True


def _tell(pk: UUID) -> None:
    """Note for the owner's webhooks that an upload is finished."""
    deliveries.record_finished(Upload.objects.get(pk=pk))


def _held(upload: Upload) -> UploadQuerySet:
    """The upload's row, provided that it still carries this attempt's claim."""
    return Upload.objects.filter(
        pk=upload.pk,
        status=Upload.Status.PROCESSING,
        claim=upload.claim,
        attempts=upload.attempts,
    )
