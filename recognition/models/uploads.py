"""Photos people uploaded, and what was seen in them."""

from __future__ import annotations

import uuid
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from accounts.models import OwnedQuerySet
from operations import stored_files
from recognition.jobs import queues
from recognition.jobs.job import Job, JobQuerySet, status_choices
from recognition.vision.types import MAXIMUM_FACES, BoundingBox, FoundBy

#: Code of failure of an upload that has had all its attempts.
GAVE_UP = "gave_up"


def random_path(instance: models.Model, filename: str) -> str:
    """A file name that tells nothing and cannot be guessed, spread over 256 folders."""
    name = uuid.uuid4().hex
    return f"photos/{name[:2]}/{name}{PurePosixPath(filename).suffix}"


class UploadQuerySet(  # type: ignore[override]  # (django-stubs makes each parent a manager)
    JobQuerySet["Upload"], OwnedQuerySet["Upload"]
):
    owner_id = "owner_id"

    def showing(self, label: str) -> UploadQuerySet:
        """Those with a face of an effective label."""
        return self.filter(models.Exists(_faces_of_outer().saying(label)))

    def without_faces(self) -> UploadQuerySet:
        """Those that are done, and in which there is no face, or none by what the owner says."""
        return self.filter(~models.Exists(_faces_of_outer()), status=Upload.Status.DONE)

    def with_uncertain(self, uncertain: bool) -> UploadQuerySet:
        """Those with a face that the model is not sure of, or those without."""
        unsure = models.Exists(_faces_of_outer().filter(uncertain=True))
        return self.filter(unsure if uncertain else ~unsure)

    def corrected(self) -> UploadQuerySet:
        """Those of which the owner has corrected or confirmed a face."""
        faces = Prediction.with_trash.filter(upload=models.OuterRef("pk")).faces()
        return self.filter(models.Exists(faces.exclude(correction="")))

    def trashed(self) -> UploadQuerySet:
        """Those in the trash, of :attr:`Upload.with_trash`."""
        return self.filter(trashed_at__isnull=False)

    def around(self, upload: Upload) -> tuple[Upload | None, Upload | None]:
        """The next newer and the next older one of these; `upload` itself need not be one."""
        moment = upload.created_at
        newer = models.Q(created_at__gt=moment) | models.Q(pk__gt=upload.pk)
        older = models.Q(created_at__lt=moment) | models.Q(pk__lt=upload.pk)
        return (
            self.filter(newer, created_at__gte=moment).order_by("created_at", "id").first(),
            self.filter(older, created_at__lte=moment).order_by("-created_at", "-id").first(),
        )


_UploadManager = models.Manager.from_queryset(UploadQuerySet)


class UploadManager(_UploadManager):
    """Leaves out what is in the trash, so that nobody has to think of it."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(trashed_at=None)


class Upload(Job):
    """One photo, in which a worker looks for faces.

    `objects` leaves out what is in the trash; `with_trash` is for what is stored, whose it is, and
    when it goes.

    Attributes:
        name: the file name as the owner knows it; shown, never used as a path.
        width, height: of the upright photo as it was received, in pixels. What is stored may be
            smaller, and boxes are in these pixels all the same.
        byte_size: of the file as it was received.
        stored_bytes: that photo and thumbnail take in the storage now.
        sha256: of the file as it was received, in hexadecimal.
        model_version: of the model that made the predictions.
        photo_deleted_at: when the owner's retention took the photo away; then `image` is empty
            and `thumbnail` is blurred (empty, too, if the disk was full), and the predictions
            stay.
        trashed_at: when its owner moved it to the trash; the same moment for all that were moved
            together. Nothing is done with it there, see `recognition.uploads.trash`.
    """

    task = "recognition.process_upload"
    queue = queues.INTERACTIVE
    priority = queues.AFTER_SHORT_WORK
    owner_lookup = "owner_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="uploads",
    )
    name = models.CharField(_("file name"), max_length=255)
    # Not an ImageField: that decodes the file anew to learn what `images.clean` has just told.
    image = models.FileField(upload_to=random_path, max_length=200, blank=True)
    thumbnail = models.FileField(upload_to=random_path, max_length=200)
    width = models.PositiveIntegerField(_("width"), editable=False)
    height = models.PositiveIntegerField(_("height"), editable=False)
    byte_size = models.PositiveIntegerField(editable=False)
    stored_bytes = models.PositiveIntegerField(_("stored bytes"), default=0, editable=False)
    sha256 = models.CharField(_("checksum"), max_length=64, editable=False)

    status = models.CharField(
        _("status"),
        max_length=10,
        choices=status_choices(processing=_("Looking for faces")),
        default=Job.Status.PENDING,
    )
    error_code = models.CharField(_("failure code"), max_length=40, blank=True)
    error_message = models.CharField(_("failure reason"), max_length=300, blank=True)
    model_version = models.CharField(_("model"), max_length=60, blank=True)

    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    photo_deleted_at = models.DateTimeField(_("photo deleted"), null=True, editable=False)

    trashed_at = models.DateTimeField(_("moved to trash"), null=True, editable=False)

    objects = UploadManager()
    with_trash = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"]),
            models.Index(fields=["status", "queued_at"]),
            # Whose turn it is: what waits of whom, and who was served lately.
            models.Index(fields=["status", "owner", "queued_at"]),
            models.Index(fields=["finished_at"]),
            models.Index(fields=["owner", "sha256"]),
            models.Index(fields=["-created_at", "-id"]),
            models.Index(
                fields=["owner", "trashed_at"],
                condition=models.Q(trashed_at__isnull=False),
                name="uploads_in_the_trash",
            ),
        ]
        permissions = [("view_photo", _("Can open other people’s photos"))]

    def __str__(self) -> str:
        return str(self.id)

    def get_absolute_url(self) -> str:
        return reverse("upload_detail", args=[self.pk])

    @classmethod
    def gave_up(cls) -> dict[str, Any]:
        message = gettext_noop("This photo couldn’t be processed after several attempts.")
        return {"error_code": GAVE_UP, "error_message": message}

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright photo as it was received, in pixels."""
        return self.width, self.height

    @property
    def faces(self) -> list[Prediction]:
        """What was seen, from left to right, without what was rejected and stayed so."""
        return [prediction for prediction in self.predictions.all() if prediction.is_face]

    @property
    def may_show_more(self) -> int:
        """How many faces are looked at in one photo, where as many were found; else 0."""
        n_found = sum(not face.rejected for face in self.faces)
        return MAXIMUM_FACES if n_found == MAXIMUM_FACES else 0

    @property
    def counted_faces(self) -> list[Prediction]:
        """The faces without those that the owner says are none."""
        return [face for face in self.faces if face.effective_label != Prediction.NOT_A_FACE]

    @property
    def unsure_count(self) -> int:
        """How many faces the model is not sure of and the owner has said nothing about."""
        return sum(face.uncertain and not face.correction for face in self.faces)

    @property
    def rejected_spots(self) -> list[Prediction]:
        """What looked like a face at first, and to its owner does not."""
        return [prediction for prediction in self.predictions.all() if not prediction.is_face]


class PredictionQuerySet(OwnedQuerySet["Prediction"]):
    owner_id = "upload__owner_id"

    def faces(self) -> PredictionQuerySet:
        """Without spots that the recognizer rejected, but for those that their owner named."""
        named = ~models.Q(correction__in=["", Prediction.NOT_A_FACE])
        return self.filter(models.Q(rejected="") | named)

    def saying(self, label: str) -> PredictionQuerySet:
        """Those with an effective label."""
        return self.filter(models.Q(correction=label) | models.Q(correction="", label=label))

    def with_effective_label(self) -> PredictionQuerySet:
        """Annotate ``said``: the owner's correction where there is one, else the label."""
        corrected = models.When(~models.Q(correction=""), then="correction")
        return self.annotate(
            said=models.Case(corrected, default="label", output_field=models.CharField())
        )

    def delete(self) -> tuple[int, dict[str, int]]:
        """Their heat maps go with them; a task may just be about to store one."""
        with transaction.atomic():
            photos = Upload.with_trash.filter(pk__in=self.order_by().values("upload"))
            list(photos.order_by("pk").select_for_update().values_list("pk"))
            maps = self.exclude(heat_map="").values_list("heat_map", flat=True)
            stored_files.delete_on_commit(*maps)
            return super().delete()


_PredictionManager = models.Manager.from_queryset(PredictionQuerySet)


class PredictionManager(_PredictionManager):
    """Leaves out what was seen in photos that are in the trash."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(upload__trashed_at=None)


def _faces_of_outer() -> PredictionQuerySet:
    """Faces of an upload in an outer query, without what its owner says is none."""
    faces = Prediction.with_trash.filter(upload=models.OuterRef("pk")).faces()
    return faces.exclude(correction=Prediction.NOT_A_FACE)


class Prediction(models.Model):
    """One face of a photo, or a spot rejected as none, and what its expression looks like.

    Attributes:
        index: position among the photo's faces, from left to right, from 0; rejected spots
            come after all faces.
        x, y, width, height: the bounding box, in pixels of the upright photo.
        confidence: probability of `label`, from 0 to 1.
        probabilities: label to probability, of the labels that the model knew; sums to 1.
        uncertain: the model is not sure enough to be believed; pages say so.
        rejected: why the recognizer does not count it as a face, see `vision.types.Rejection`;
            empty for a face. It counts all the same once its owner says what it shows.
            :data:`DRAWN` where the owner drew the box: then there is no prediction, `label` and
            `probabilities` are empty and `confidence` is 0.
        roll: by how much the face is turned clockwise, in degrees; the box encloses it upright.
        found_by: which detector sees it, see `vision.types.FoundBy`; empty where that is unknown.
        correction: what the owner says it is: a label, :data:`NOT_A_FACE`, or nothing. The
            prediction itself is never changed.
        heat_map: PNG of the parts of the face that carried the label; empty until asked for.
        heat_map_bytes: that it takes in the storage.
        heat_map_asked_at: when its turn in the line of heat maps began; None where it is in none.
    """

    NOT_A_FACE = "not_a_face"
    #: In `rejected`: the recognizer saw nothing here; the owner drew the box and named it.
    DRAWN = "drawn"

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="predictions")
    index = models.PositiveSmallIntegerField(_("position"))
    x = models.PositiveIntegerField(_("from the left"))
    y = models.PositiveIntegerField(_("from the top"))
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    label = models.CharField(max_length=20, db_index=True)
    confidence = models.FloatField()
    probabilities = models.JSONField()
    uncertain = models.BooleanField(_("uncertain"), default=False)
    rejected = models.CharField(max_length=20, blank=True)
    roll = models.FloatField(_("tilt (degrees)"), default=0.0)
    found_by = models.CharField(_("found by"), max_length=10, blank=True)
    correction = models.CharField(max_length=20, blank=True)
    corrected_at = models.DateTimeField(_("corrected at"), null=True, blank=True)
    heat_map = models.FileField(upload_to=random_path, max_length=200, blank=True)
    heat_map_bytes = models.PositiveIntegerField(default=0, editable=False)
    heat_map_asked_at = models.DateTimeField(null=True, editable=False)

    # First, so that `upload.predictions` are those of any photo that one has come by.
    with_trash = PredictionQuerySet.as_manager()
    objects = PredictionManager()

    class Meta:
        verbose_name = _("prediction")
        verbose_name_plural = _("predictions")
        ordering = ["index"]
        constraints = [
            models.UniqueConstraint(fields=["upload", "index"], name="one_prediction_a_face"),
        ]
        indexes = [
            models.Index(
                fields=["heat_map_asked_at"],
                name="heat_maps_that_wait",
                condition=models.Q(heat_map_asked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.confidence:.0%})"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        return Prediction.with_trash.filter(pk=self.pk).delete()

    @property
    def box(self) -> BoundingBox:
        """In pixels of the upright photo."""
        return BoundingBox(self.x, self.y, self.width, self.height)

    @property
    def is_face(self) -> bool:
        """Whether it counts as one; a face that its owner says is none is still listed as one."""
        return not self.rejected or self.correction not in {"", self.NOT_A_FACE}

    @property
    def is_seen_by_one(self) -> bool:
        """Whether one of the site's two detectors sees a face and the other does not."""
        return settings.DETECTOR == "both" and self.found_by in {FoundBy.BLAZEFACE, FoundBy.HAAR}

    @property
    def predicted_label(self) -> str | None:
        """What the model says; None where it said nothing because the owner drew the box."""
        return self.label or None

    @property
    def effective_label(self) -> str:
        """What counts: the owner's correction where there is one, else the model's label."""
        return self.correction or self.label

    @property
    def likeliest(self) -> list[str]:
        """The two most probable labels, the more probable first."""
        return sorted(self.probabilities, key=self.probabilities.__getitem__, reverse=True)[:2]
