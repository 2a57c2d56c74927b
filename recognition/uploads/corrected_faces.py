"""Faces that people corrected, for training: those who agreed, and nothing that tells who."""

from __future__ import annotations

import io
import secrets
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from accounts import consent
from recognition.models import Prediction, PredictionQuerySet
from recognition.people import TRAINING
from recognition.vision.errors import ImageError
from recognition.vision.images import decode_gray
from recognition.vision.preprocessing import crop_face
from recognition.wording import LABEL_NAMES

#: Side of the images that `train_model` reads, in pixels.
SIDE = 48


def write_archive(output: Path, margin: float) -> tuple[dict[str, int], int]:
    """Write ``train/<label>/<random name>.png`` of everybody who agrees to that.

    Args:
        output: the archive; one that is there is replaced once the new one is whole.
        margin: what the crops take in round the box, as a share of its side.

    Returns:
        How many faces of each label, in the order of the labels; and how many were left out
        because they were deleted meanwhile or cannot be read.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    ids = list(_agreed().values_list("pk", flat=True))
    # Nothing of the order in which photos came is left: neighbours could be of one person.
    secrets.SystemRandom().shuffle(ids)
    counts: Counter[str] = Counter()
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=output.resolve().parent, delete=False) as file:
            temporary = Path(file.name)
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for pk in ids:
                    counts[_add(archive, pk, margin)] += 1
        temporary.replace(output)
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return {label: counts[label] for label in LABEL_NAMES}, counts[""]


def _add(archive: zipfile.ZipFile, pk: int, margin: float) -> str:
    """Add one face; returns its label, or nothing where its photo is gone."""
    face = Prediction.objects.select_related("upload").filter(pk=pk).first()
    try:
        if face is None or face.correction not in LABEL_NAMES:
            return ""  # Taken back or deleted since the list was made.
        crop = _crop(face, margin)
    except (OSError, ValueError, ImageError):
        return ""
    buffer = io.BytesIO()
    Image.fromarray(crop).save(buffer, "PNG")
    # The entry has the archive format's first day for its date: no time of anything.
    name = f"train/{face.correction}/{secrets.token_hex(12)}.png"
    archive.writestr(zipfile.ZipInfo(name), buffer.getvalue())
    return face.correction


def _agreed() -> PredictionQuerySet:
    """Corrected faces of people who agree now, whose photo is still there."""
    owners = consent.people(TRAINING).filter(is_active=True)
    return Prediction.objects.faces().filter(
        upload__owner__in=owners, upload__photo_deleted_at=None, correction__in=LABEL_NAMES
    )


def _crop(face: Prediction, margin: float) -> NDArray[Any]:
    """The face as the classifier sees it: uint8 ``(48, 48)``."""
    with face.upload.image.open("rb") as file:
        image_gray, _size = decode_gray(file.read())
    box = face.box.scaled(image_gray.shape[1] / face.upload.width)
    return crop_face(image_gray, box, SIDE, margin, face.roll)
