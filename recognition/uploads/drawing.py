"""Faces that the model missed: drawn by the photo's owner, or named before it missed them.

Such a row is the person's and never the model's: it has no prediction, only a correction, and
says ``drawn`` where a rejected spot says why it was rejected. So it counts as a face wherever a
named spot does, and never in what tells how often the model is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from recognition import quotas
from recognition.models import Prediction, Upload
from recognition.uploads.corrections import SAME_FACE, CorrectionError
from recognition.vision.types import BoundingBox, overlap
from recognition.wording import LABEL_NAMES

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from accounts.models import User

#: Sides of a box, in pixels of the photo, below which nobody can tell an expression.
MINIMUM_SIDE = 8
#: Boxes that one photo may have, those of the recognizer included.
MAXIMUM_FACES = 500


def draw(upload: Upload, box: BoundingBox, label: str, actor: User) -> Prediction:
    """Keep a face where the recognizer saw none.

    Args:
        upload: a photo that is done, and still there.
        box: in pixels of the upright photo.
        label: what it shows, one of the labels.
        actor: who says so.

    Raises:
        CorrectionError: the message is a sentence for people.
        QuotaExceeded: its owner's storage is full.
        Upload.DoesNotExist: the photo was deleted meanwhile.
    """
    if label not in LABEL_NAMES:
        raise CorrectionError(_("This isn’t a label that a face can have."))
    if min(box.width, box.height) < MINIMUM_SIDE:
        raise CorrectionError(_("This box is too small."))
    is_inside = box.x + box.width <= upload.width and box.y + box.height <= upload.height
    if min(box.x, box.y) < 0 or not is_inside:
        raise CorrectionError(_("This box is not inside the photo."))
    with transaction.atomic():
        quotas.check_room(quotas.lock(upload.owner_id), quotas.DRAWN_FACE_BYTES)
        # Locked, so that each box gets a number of its own, and none is lost in a new run.
        upload = Upload.objects.select_for_update().get(pk=upload.pk)
        if upload.status != Upload.Status.DONE or upload.photo_deleted_at is not None:
            raise CorrectionError(_("Faces can be drawn on a photo that is done and still there."))
        others = list(upload.predictions.all())
        if any(face.is_face and overlap(face.box, box) >= SAME_FACE for face in others):
            raise CorrectionError(_("There is already a face here."))
        if len(others) >= MAXIMUM_FACES:
            raise CorrectionError(_("This photo has as many faces as it can have."))
        last = upload.predictions.aggregate(last=Max("index"))["last"]
        face = _drawn(upload.pk, 0 if last is None else last + 1, box, label, timezone.now())
        face.save()
        audit.record_hourly(
            "face_drawn", upload.owner, actor, f"upload:{upload.pk}", face=face.index
        )
    return face


def keep_named(earlier: list[Prediction], n_later: int) -> list[Prediction]:
    """The faces that somebody has named and a new run has not found, drawn, after all others.

    What it did find takes the correction over (:func:`recognition.uploads.corrections.carry_over`).

    Args:
        earlier: stored predictions of the photo whose correction no new one has taken over.
        n_later: how many the new run has.
    """
    kept: list[Prediction] = []
    for face in earlier:
        if face.correction in {"", Prediction.NOT_A_FACE}:
            continue
        index = n_later + len(kept)
        kept.append(_drawn(face.upload_id, index, face.box, face.correction, face.corrected_at))
    return kept


def _drawn(
    upload: UUID, index: int, box: BoundingBox, label: str, at: datetime | None
) -> Prediction:
    """A face that a person's word alone speaks for, said at a moment; unsaved."""
    return Prediction(
        upload_id=upload,
        index=index,
        x=box.x,
        y=box.y,
        width=box.width,
        height=box.height,
        label="",
        confidence=0.0,
        probabilities={},
        rejected=Prediction.DRAWN,
        correction=label,
        corrected_at=at,
    )
