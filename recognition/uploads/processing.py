"""What a worker does with an upload, and what follows when it has ended."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django.utils.translation import gettext_noop

from operations import metrics
from recognition.jobs.job import changed
from recognition.models import Prediction, Upload
from recognition.uploads import corrections, drawing, retention
from recognition.vision.errors import ImageError
from recognition.vision.types import Recognition
from recognition.webhooks import deliveries

logger = logging.getLogger(__name__)


def process(upload: Upload) -> None:
    """Look for faces in a claimed upload, label them, and end it."""
    # Here and not above: the parent of a worker's children must stay small, and a library
    # with threads of its own does not survive a fork.
    from recognition.model_registry.inference import predict_upload

    try:
        recognition, model_version = predict_upload(upload)
    except ImageError as error:
        fail(upload, error.code, str(error))
    except FileNotFoundError:
        fail(upload, "photo_missing", gettext_noop("The photo has been deleted."))
    else:
        complete(upload, recognition, model_version)
    try:
        retention.apply_to(str(upload.pk))
    except Exception:  # The sweep does it later; the result stands either way.
        logger.exception("the photo of upload %s could not be removed", upload.pk)


def complete(upload: Upload, recognition: Recognition, model_version: str) -> bool:
    """Write the result in one transaction; False where the claim was lost meanwhile."""
    with metrics.STAGES.time("save"), transaction.atomic():
        # First of all, for it locks the row until the transaction ends.
        if not Upload.objects.extend(upload):
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
                found_by=face.found_by or "",
            )
            for index, face in enumerate((*recognition.faces, *recognition.rejected))
        ]
        earlier = list(before)
        given = corrections.carry_over(earlier, now)
        left = [face for face in earlier if face.index not in given]
        now += drawing.keep_named(left, len(now))
        before.delete()
        Prediction.objects.bulk_create(now)
        return Upload.objects.finish(
            upload, error_code="", error_message="", model_version=model_version
        )


def fail(upload: Upload, code: str, message: str) -> bool:
    """End without a result, with a reason for people; False where the claim was lost."""
    return Upload.objects.fail(upload, error_code=code, error_message=message)


@receiver(changed, sender=Upload)
def note_the_end(job: Upload, **kwargs: Any) -> None:
    """Whichever way an upload ends, webhooks and the site's measures learn of it."""
    if job.is_finished:
        deliveries.record_finished(job)
        metrics.UPLOADS_FINISHED.add(job.status, job.error_code)
