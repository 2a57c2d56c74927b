"""Photos whose faces are written as rows: many, of known labels, without waiting for a model."""

from __future__ import annotations

from itertools import cycle

from django.core.files.base import ContentFile

from accounts.models import User
from recognition.models import Prediction, Upload
from recognition.vision import images
from recognition.wording import LABEL_NAMES
from tests.support.pictures import crowd, encode

#: Of faces from left to right, over and over: label, and its probability.
SEEN = [("happy", 0.9), ("sad", 0.8), ("surprise", 0.7), ("neutral", 0.95), ("neutral", 0.4)]


def write(email: str, *sizes: tuple[int, int]) -> list[str]:
    """Give somebody photos of crowds, the last one being the newest.

    Args:
        email: of the owner.
        sizes: columns and rows of each.

    Returns:
        The photos' ids.
    """
    owner = User.objects.get(email=email)
    return [str(_write_one(owner, *size).pk) for size in sizes]


def _write_one(owner: User, columns: int, rows: int) -> Upload:
    photo, boxes = crowd(columns, rows)
    clean = images.clean(encode(photo))
    upload = Upload(
        owner=owner,
        name=f"{columns * rows} people.jpg",
        width=clean.width,
        height=clean.height,
        byte_size=len(clean.jpeg),
        sha256="0" * 64,
        status=Upload.Status.DONE,
    )
    upload.image.save("photo.jpg", ContentFile(clean.jpeg), save=False)
    upload.thumbnail.save("thumbnail.jpg", ContentFile(clean.thumbnail_jpeg), save=False)
    upload.save()
    Prediction.objects.bulk_create(
        _face(upload, index, box, *seen)
        for (index, box), seen in zip(enumerate(boxes), cycle(SEEN), strict=False)
    )
    return upload


def _face(
    upload: Upload, index: int, box: tuple[int, int, int, int], label: str, confidence: float
) -> Prediction:
    x, y, width, height = box
    share = (1 - confidence) / (len(LABEL_NAMES) - 1)
    return Prediction(
        upload=upload, index=index, x=x, y=y, width=width, height=height, label=label,
        confidence=confidence, uncertain=confidence < 0.5,
        probabilities={**dict.fromkeys(LABEL_NAMES, share), label: confidence},
    )  # fmt: skip
