"""Create, retry, run again and delete uploads."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from operations import metrics, stored_files
from operations.whole_files import is_full
from recognition import quotas
from recognition.jobs import queues
from recognition.jobs.picking import MANY_WAITING
from recognition.models import ModelComparison, Prediction, Upload, UploadQuerySet
from recognition.models.uploads import random_path
from recognition.refusals import Refusal, check_rate
from recognition.uploads import heat_maps
from recognition.vision import images
from recognition.vision.decoding.pool import DecodingBusy, DecodingPool, Patience
from recognition.vision.errors import ImageError
from recognition.webhooks import deliveries

if TYPE_CHECKING:
    from accounts.models import User


#: Photos that one transaction deletes, each with up to hundreds of faces; their rows are locked.
DELETED_AT_ONCE = 50


class StorageFull(Refusal):
    """There is no room for another photo."""

    code, status = "storage_full", 507


class Busy(Refusal):
    """Too many photos are being opened; the same request may succeed in a moment."""

    code, status, retry_after = "busy", 503, 10


def create_upload(
    owner: User,
    file: UploadedFile,
    *,
    of_batch: bool = False,
    patience: Patience | None = None,
    saved: Callable[[Upload], None] | None = None,
) -> Upload:
    """Check a photo, keep a clean copy of it, and queue it for recognition.

    The bytes as they came are decoded in a process of their own, and kept nowhere.

    Args:
        owner: whose photo it is.
        file: as it was received.
        of_batch: others came with it, and nobody watches it alone: it goes after those that are
            watched, as one of many that wait does.
        patience: of the request that others came with, too; None where it came alone.
        saved: called in the transaction that saves the row, for what must be true with it.

    Raises:
        ImageError: the file is not a photo that we accept; nothing was stored.
        QuotaExceeded: the owner has used up what they may; nothing was stored.
        AccountClosed: the owner's account is being deleted; nothing was stored.
        StorageFull: there is no room; nothing was stored.
        Busy: too many photos came at once; nothing was stored.
    """
    if file.size is not None and file.size > settings.PHOTO_MAXIMUM_BYTES:
        raise images.too_many_bytes(settings.PHOTO_MAXIMUM_BYTES)
    # Once before the work, for those who are out, and once under a lock, to be exact.
    quotas.check_upload(owner, 0)
    sha256 = content_sha256(file)
    try:
        with metrics.STAGES.time("clean"):
            clean = decoding_pool().clean(file, owner.pk, patience)
    except ImageError as error:
        metrics.UPLOADS_REFUSED.add(error.code)
        raise
    except DecodingBusy:
        metrics.UPLOADS_REFUSED.add(Busy.code)
        message = _("The site is busy with other photos. Try again in a moment.")
        raise Busy(message) from None
    upload = Upload(
        owner=owner,
        name=clean_name(file.name or ""),
        width=clean.width,
        height=clean.height,
        byte_size=file.size or 0,
        stored_bytes=len(clean.jpeg) + len(clean.thumbnail_jpeg),
        sha256=sha256,
        queued_at=timezone.now(),
    )
    # Named before they are written: whatever goes wrong later, both can then be deleted.
    upload.image.name = random_path(upload, "photo.jpg")
    upload.thumbnail.name = random_path(upload, "thumbnail.jpg")
    try:
        upload.image.storage.save(upload.image.name, ContentFile(clean.jpeg))
        upload.thumbnail.storage.save(upload.thumbnail.name, ContentFile(clean.thumbnail_jpeg))
        with transaction.atomic():
            quotas.check_upload(quotas.lock(owner.pk), upload.stored_bytes)
            upload.save()
            audit.record("upload_created", owner, owner, f"upload:{upload.pk}")
            if saved is not None:
                saved(upload)
            waiting = Upload.objects.filter(owner=owner, status=Upload.Status.PENDING).count()
            bulk = of_batch or waiting > MANY_WAITING
            Upload.objects.enqueue(upload.pk, queue=queues.BULK if bulk else queues.INTERACTIVE)
    except BaseException as error:
        # No row, no files: whatever went wrong, nothing is left half-stored.
        stored_files.delete(*stored_files.names_of(upload))
        if is_full(error):
            metrics.UPLOADS_REFUSED.add(StorageFull.code)
            raise StorageFull(_("The server is out of storage space. Try again later.")) from error
        raise
    return upload


@cache
def decoding_pool() -> DecodingPool:
    """This process's, which shares its limits with all web processes of the host."""
    return DecodingPool(settings.DATA_DIR / "decoding", settings.DECODING_PROCESSES)


def content_sha256(file: UploadedFile) -> str:
    """Of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def retry_uploads(uploads: UploadQuerySet) -> int:
    """Queue those that failed once more; returns how many."""
    # Those whose photo is gone stay as they are: there is nothing left to look at.
    failed = uploads.filter(status=Upload.Status.FAILED, photo_deleted_at=None)
    queue = queues.INTERACTIVE if failed.count() == 1 else queues.BULK
    return failed.restart(queue=queue, error_code="", error_message="")


def rerun_uploads(uploads: UploadQuerySet) -> int:
    """Queue those that are done for the model that is active now; returns how many.

    What was seen stays until the new result replaces it.
    """
    done = uploads.filter(status=Upload.Status.DONE, photo_deleted_at=None)
    return done.restart(queue=queues.BULK)


def explain_face(face: Prediction) -> bool:
    """Have a face's heat map drawn unless it is there; False where the queue is out of reach.

    Raises:
        TooOften: the owner asked for more than :data:`settings.HEAT_MAP_RATE`.
        QuotaExceeded: their storage is full.
    """
    if face.heat_map:
        return True
    check_rate("heat maps", face.upload.owner_id, settings.HEAT_MAP_RATE)
    quotas.check_room(face.upload.owner, heat_maps.USUAL_BYTES)
    return heat_maps.ask(face)


def delete_uploads(uploads: UploadQuerySet, actor: User | None = None) -> int:
    """Delete photos with all that was seen in them, a few at a time; returns how many photos."""
    ids = list(uploads.values_list("pk", flat=True))
    parts = (ids[first : first + DELETED_AT_ONCE] for first in range(0, len(ids), DELETED_AT_ONCE))
    return sum(_delete_some(uploads.filter(pk__in=some), actor) for some in parts)


@transaction.atomic
def _delete_some(uploads: UploadQuerySet, actor: User | None) -> int:
    # Locked, so that a file that a task is just about to put in its place goes as well.
    locked = uploads.only("owner_id").order_by("pk").select_for_update(of=("self",))
    targets = ((upload.owner_id, f"upload:{upload.pk}") for upload in locked)
    audit.record_each("upload_deleted", targets, actor)
    ids = list(uploads.values_list("pk", flat=True))
    deliveries.forget(ids)
    ModelComparison.objects.forget(ids)
    _total, by_model = uploads.delete()
    return by_model.get(Upload._meta.label, 0)


def clean_name(name: str) -> str:
    """What may be shown of a file's name: no folders, no control or direction marks."""
    base = PurePath(name.replace("\\", "/")).name
    shown = "".join(c for c in base if unicodedata.category(c)[0] != "C").strip()
    return shown[:255] or "photo"
