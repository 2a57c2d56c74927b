"""Create, retry, run again and delete uploads."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import PurePath
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from accounts import audit
from recognition import processing, quotas, tasks
from recognition.models import Prediction, Upload, UploadQuerySet
from recognition.vision import images
from recognition.vision.errors import ImageTooLarge

if TYPE_CHECKING:
    from accounts.models import User


def create_upload(owner: User, file: UploadedFile) -> Upload:
    """Check a photo, keep a clean copy of it, and queue it for recognition.

    Raises:
        ImageError: the file is not a photo that we accept; nothing was stored.
        QuotaExceeded: the owner has used up what they may; nothing was stored.
        AccountClosed: the owner's account is being deleted; nothing was stored.
    """
    if file.size is not None and file.size > images.MAXIMUM_BYTES:
        raise ImageTooLarge(f"The file is larger than {images.MAXIMUM_BYTES // (1024 * 1024)} MB.")
    # Once before the work, for those who are out, and once under a lock, to be exact.
    quotas.check_upload(owner, file.size or 0)
    data = file.read()
    clean = images.clean(data)
    upload = Upload(
        owner=owner,
        name=clean_name(file.name or ""),
        width=clean.width,
        height=clean.height,
        byte_size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        queued_at=timezone.now(),
    )
    try:
        upload.image.save("photo.jpg", ContentFile(clean.jpeg), save=False)
        upload.thumbnail.save("thumbnail.jpg", ContentFile(clean.thumbnail_jpeg), save=False)
        with transaction.atomic():
            quotas.check_upload(quotas.lock(owner.pk), len(data))
            upload.save()
            audit.record("upload_created", owner, owner, f"upload:{upload.pk}")
            tasks.enqueue_on_commit(str(upload.pk))
    except BaseException:
        # No row, no files: whatever went wrong, nothing is left half-stored.
        for stored in (upload.image, upload.thumbnail):
            if stored.name:
                stored.storage.delete(stored.name)
        raise
    return upload


def retry_uploads(uploads: UploadQuerySet) -> int:
    """Queue those that failed once more; returns how many."""
    with transaction.atomic():
        ids = processing.reset(uploads)
        for upload_id in ids:
            tasks.enqueue_on_commit(upload_id)
    return len(ids)


def rerun_uploads(uploads: UploadQuerySet) -> int:
    """Queue those that are done for the model that is active now; returns how many."""
    with transaction.atomic():
        ids = processing.rerun(uploads)
        for upload_id in ids:
            tasks.enqueue_on_commit(upload_id)
    return len(ids)


def explain_face(face: Prediction) -> bool:
    """Have a face's heat map drawn unless it is there; False where the queue is out of reach."""
    return bool(face.heat_map) or tasks.enqueue_explanation(face.pk)


def delete_uploads(uploads: UploadQuerySet, actor: User | None = None) -> int:
    """Delete photos with all that was seen in them; returns how many photos."""
    with transaction.atomic():
        # Locked, so that a file that a task is just about to put in its place goes as well.
        for upload in uploads.select_related("owner").select_for_update(of=("self",)):
            audit.record("upload_deleted", upload.owner, actor, f"upload:{upload.pk}")
        _total, by_model = uploads.delete()
    return by_model.get(Upload._meta.label, 0)


def clean_name(name: str) -> str:
    """What may be shown of a file's name: no folders, no control or direction marks."""
    base = PurePath(name.replace("\\", "/")).name
    shown = "".join(c for c in base if unicodedata.category(c)[0] != "C").strip()
    return shown[:255] or "photo"
