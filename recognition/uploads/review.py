"""Faces that wait for their owner's word, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from recognition.models import Prediction, PredictionQuerySet, Upload
from recognition.vision.types import FoundBy
from recognition.wording import LABEL_NAMES

if TYPE_CHECKING:
    from accounts.models import User

UNSURE = "unsure"
ONE_DETECTOR = "one_detector"
ALL = "all"
#: What can be reviewed: what the model is not sure of, what only one of the two detectors sees,
#: everything, or what the model calls by one label.
WANTED = (UNSURE, ONE_DETECTOR, ALL, *LABEL_NAMES)


@dataclass(frozen=True)
class Queue:
    """Faces of one person that nobody has corrected or confirmed yet.

    They come photo after photo, the newest first, and within a photo from left to right. A place
    in this order is a face, which need not wait any more itself.

    Attributes:
        owner: whose faces.
        wanted: one of :data:`WANTED`.
        photo: id of the only upload whose faces are wanted; None for all.
    """

    owner: User
    wanted: str = UNSURE
    photo: UUID | None = None

    def waiting(self) -> PredictionQuerySet:
        """All that wait. What retention left of a photo cannot be judged any more."""
        faces = Prediction.objects.for_owner(self.owner).filter(
            rejected="",
            correction="",
            upload__status=Upload.Status.DONE,
            upload__photo_deleted_at=None,
        )
        if self.photo is not None:
            faces = faces.filter(upload_id=self.photo)
        if self.wanted == UNSURE:
            return faces.filter(uncertain=True)
        if self.wanted == ONE_DETECTOR:
            return faces.filter(found_by__in=[FoundBy.BLAZEFACE, FoundBy.HAAR])
        if self.wanted == ALL:
            return faces
        return faces.filter(uncertain=False, label=self.wanted)

    def find(self, pk: int) -> Prediction | None:
        """A face of the owner's, whether it waits or not."""
        own = Prediction.objects.for_owner(self.owner)
        return own.select_related("upload").filter(pk=pk).first()

    def first(self) -> Prediction | None:
        return self._in_order(self.waiting()).first()

    def after(self, place: Prediction) -> Prediction | None:
        """The next one that waits, found by the index and not by counting from the start."""
        created_at, upload_id = place.upload.created_at, place.upload_id
        later = (
            Q(upload__created_at__lt=created_at)
            | Q(upload__created_at=created_at, upload_id__lt=upload_id)
            | Q(upload_id=upload_id, index__gt=place.index)
        )
        faces = self.waiting().filter(later, upload__created_at__lte=created_at)
        return self._in_order(faces).first()

    def before(self, place: Prediction) -> Prediction | None:
        """The one before that waits."""
        created_at, upload_id = place.upload.created_at, place.upload_id
        earlier = (
            Q(upload__created_at__gt=created_at)
            | Q(upload__created_at=created_at, upload_id__gt=upload_id)
            | Q(upload_id=upload_id, index__lt=place.index)
        )
        faces = self.waiting().filter(earlier, upload__created_at__gte=created_at)
        return self._in_order(faces).reverse().first()

    @staticmethod
    def _in_order(faces: PredictionQuerySet) -> PredictionQuerySet:
        order = ("-upload__created_at", "-upload_id", "index")
        return faces.select_related("upload").order_by(*order)
