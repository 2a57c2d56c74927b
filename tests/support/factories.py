"""People, uploads, faces and results that tests begin with."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission

from accounts import consent
from accounts.models import User
from accounts.purposes import ACCOUNT
from recognition.models import Prediction, Upload
from recognition.uploads import processing
from recognition.vision.types import BoundingBox, Face, Recognition, Rejection

HAPPY = {"happy": 0.7, "sad": 0.1, "surprise": 0.1, "neutral": 0.1}
LEFT, RIGHT = BoundingBox(10, 10, 100, 100), BoundingBox(200, 10, 100, 100)
#: Two faces, one of them uncertain, and a spot that is none.
RESULT = Recognition(
    512,
    512,
    (
        Face(
            BoundingBox(1, 2, 30, 40), {"happy": 0.7, "sad": 0.1, "surprise": 0.1, "neutral": 0.1}
        ),
        Face(
            BoundingBox(9, 2, 30, 40),
            {"happy": 0.1, "sad": 0.45, "surprise": 0.05, "neutral": 0.4},
            uncertain=True,
        ),
    ),
    rejected=(
        Face(
            BoundingBox(4, 2, 30, 40),
            {"happy": 0.1, "sad": 0.1, "surprise": 0.7, "neutral": 0.1},
            rejected=Rejection.BLURRED,
        ),
    ),
)


def make_person(email: str, password: str, **fields: bool) -> User:
    """Somebody who has agreed that their photos are processed."""
    person = User.objects.create_user(email, password, **fields)
    consent.give(person, ACCOUNT)
    return person


def allow(user: User, *names: str) -> None:
    for name in names:
        app, codename = name.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )


def make_upload(owner: User, name: str = "a.jpg", **fields: Any) -> Upload:
    values = {"width": 9, "height": 9, "byte_size": 9, "sha256": "0" * 64, "status": "done"}
    return Upload.objects.create(owner=owner, name=name, **values | fields)


def add_face(upload: Upload, label: str = "happy", index: int = 0, **fields: Any) -> Prediction:
    probabilities = {"happy": 0.1, "sad": 0.1, "surprise": 0.1, "neutral": 0.1, label: 0.7}
    return Prediction.objects.create(
        upload=upload, index=index, x=1, y=2, width=3, height=4, label=label, confidence=0.7,
        probabilities=probabilities, **fields,
    )  # fmt: skip


def recognition(*boxes: BoundingBox, rejected: tuple[BoundingBox, ...] = ()) -> Recognition:
    faces = tuple(Face(box, HAPPY) for box in boxes)
    spots = tuple(Face(box, HAPPY, rejected=Rejection.BLURRED) for box in rejected)
    return Recognition(512, 512, faces, spots)


def run(upload: Upload, result: Recognition) -> list[Prediction]:
    """Look at a photo, once more if need be."""
    Upload.objects.filter(pk=upload.pk).update(status="pending", attempts=0)
    claimed = Upload.objects.claim(upload.pk)
    assert claimed is not None
    assert processing.complete(claimed, result, "model-1")
    return list(upload.predictions.all())


def make_crowd(owner: User, name: str, n_faces: int) -> Upload:
    """A photo of so many faces, which are all alike."""
    upload = make_upload(owner, name=name, sha256=f"{name:0>64}")
    face = add_face(upload)
    kept = {
        field.attname: getattr(face, field.attname)
        for field in Prediction._meta.concrete_fields
        if field.attname not in {"id", "index"}
    }
    Prediction.objects.bulk_create(Prediction(**kept, index=i) for i in range(1, n_faces))
    return upload
