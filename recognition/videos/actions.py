"""Take a video in, and stop reading one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from operations import stored_files
from operations.whole_files import is_full
from recognition import quotas
from recognition.models import Recording, Video
from recognition.series.timeline import ROW_BYTES
from recognition.uploads.actions import StorageFull, clean_name
from recognition.videos import keeping
from recognition.videos.processing import wake_next
from recognition.vision.errors import VideoTooLarge, gettext_noop
from recognition.vision.video.containers import HEAD_BYTES, container_of

if TYPE_CHECKING:
    from accounts.models import User


def create_video(
    owner: User,
    file: UploadedFile,
    *,
    frames_per_second: int = 10,
    keep: bool | None = None,
    counted: int = 0,
    then: Callable[[Video], object] = lambda video: None,
) -> Video:
    """Store a video for as long as a worker needs to look at it, or longer, and queue that.

    Only its first bytes are looked at here; all else is for the confined process of a worker.

    Args:
        owner: whose it is.
        file: as it was received.
        frames_per_second: that are looked at, from 1 to 30.
        keep: whether it stays when that is done; None for what the operator prefers.
        counted: bytes of it that count in the owner's storage already.
        then: called in the transaction that stores it; where it raises, nothing was stored.

    Raises:
        VideoError: it is no video that we accept; nothing was stored.
        QuotaExceeded: the owner has used up what they may; nothing was stored.
        AccountClosed: the owner's account is being deleted; nothing was stored.
        StorageFull: there is no room; nothing was stored.
    """
    size = file.size or 0
    if size > settings.VIDEO_MAXIMUM_BYTES:
        raise VideoTooLarge(
            gettext_noop("The video has more than %(megabytes)s MB."),
            megabytes=settings.VIDEO_MAXIMUM_BYTES // (1024 * 1024),
        )
    container = container_of(file.read(HEAD_BYTES))
    file.seek(0)
    # Once before the work, for those who are out, and once under a lock, to be exact.
    quotas.check_upload(owner, size, counted=counted)
    now = timezone.now()
    video = Video(
        owner=owner,
        name=clean_name(file.name or ""),
        byte_size=size,
        stored_bytes=size,
        container=container,
        keep=keeping.is_possible(owner) and (settings.VIDEO_KEEP if keep is None else keep),
        frames_per_second=frames_per_second,
        queued_at=now,
    )
    # Named before it is written: whatever goes wrong later, it can then be deleted.
    video.file.name = Video.file.field.generate_filename(video, "video")
    try:
        video.file.storage.save(str(video.file.name), file)
        with transaction.atomic():
            locked = quotas.lock(owner.pk)
            quotas.check_upload(locked, size, counted=counted)
            video.recording = Recording.objects.create(
                owner=locked,
                source=Recording.Source.VIDEO,
                started_at=now,
                ended_at=now,
                stored_bytes=ROW_BYTES,
            )
            video.save()
            audit.record("video_created", locked, owner, f"video:{video.pk}")
            then(video)
            Video.objects.enqueue(video.pk)
    except BaseException as error:
        stored_files.delete(video.file.name)
        if is_full(error):
            raise StorageFull(_("The server is out of storage space. Try again later.")) from error
        raise
    return video


def cancel(video: Video, actor: User) -> bool:
    """Stop reading a video; what was seen so far stays. False where it had ended."""
    with transaction.atomic():
        rows = Video.objects.filter(pk=video.pk)
        locked = rows.select_related("owner").select_for_update(of=("self",)).first()
        if locked is None or not rows.stop(Video.CANCELLED):
            return False
        keeping.forget_file(locked)
        wake_next(locked)
        audit.record("video_cancelled", locked.owner, actor, f"video:{video.pk}")
    return True


def forget(video: Video, actor: User) -> bool:
    """Delete a kept video and leave what was seen in it. False where it had gone."""
    with transaction.atomic():
        rows = Video.objects.filter(pk=video.pk)
        locked = rows.select_related("owner").select_for_update(of=("self",)).first()
        if locked is None or not locked.is_kept:
            return False
        keeping.forget_file(locked)
        audit.record("video_deleted", locked.owner, actor, f"video:{video.pk}")
    return True
