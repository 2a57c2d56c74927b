"""What people say a face shows, kept beside what the model said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from recognition.models import Prediction
from recognition.refusals import Refusal
from recognition.vision.types import overlap
from recognition.wording import CORRECTION_NAMES

if TYPE_CHECKING:
    from accounts.models import User

#: Intersection over union from which the boxes of two runs show the same face.
SAME_FACE = 0.5


class CorrectionError(Refusal):
    """The label is none that a face can be given."""

    code, status = "invalid", 400


def correct(prediction: Prediction, label: str, actor: User) -> Prediction:
    """Write down what a face shows; the prediction itself stays as it is.

    A face that its owner drew has nothing but their word: without it the row is deleted.

    Args:
        prediction: of a face, or of a rejected spot, which becomes one by being named.
        label: one of the labels, which may be the predicted one to confirm it;
            :data:`Prediction.NOT_A_FACE`; or nothing, to take a correction back.
        actor: who says so.

    Raises:
        CorrectionError: `label` is none of these.
        Prediction.DoesNotExist: the photo was deleted, or looked at again, meanwhile.
    """
    if label and label not in CORRECTION_NAMES:
        raise CorrectionError(_("This isn’t a label that a face can have."))
    if label == prediction.correction:
        return prediction
    corrected_at = timezone.now() if label else None
    with transaction.atomic():
        row = Prediction.objects.filter(pk=prediction.pk)
        if prediction.rejected == Prediction.DRAWN and label in {"", Prediction.NOT_A_FACE}:
            changed, _by_model = row.delete()
        else:
            changed = row.update(correction=label, corrected_at=corrected_at)
        if not changed:
            raise Prediction.DoesNotExist
        audit.record_hourly(
            "correction_made",
            prediction.upload.owner,
            actor,
            f"upload:{prediction.upload_id}",
            face=prediction.index,
        )
    prediction.correction, prediction.corrected_at = label, corrected_at
    return prediction


def carry_over(earlier: Iterable[Prediction], later: Iterable[Prediction]) -> set[int]:
    """Give the spots of a new run what was said about the same spots of the one before.

    Each correction goes to the box that overlaps most, and each box takes one correction.

    Args:
        earlier: stored predictions of the photo.
        later: unsaved predictions, changed in place.

    Returns:
        The indices of the earlier ones whose correction was taken over.
    """
    pairs = sorted(
        (
            (overlap(old.box, new.box), old.index, new.index, old, new)
            for new in later
            for old in earlier
            if old.correction
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    given: set[int] = set()
    taken: set[int] = set()
    for share, old_index, new_index, old, new in pairs:
        if share < SAME_FACE:
            break
        if old_index not in given and new_index not in taken:
            new.correction, new.corrected_at = old.correction, old.corrected_at
            given.add(old_index)
            taken.add(new_index)
    return given
