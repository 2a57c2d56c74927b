"""Take a video in part by part: what arrived stays, whatever becomes of the connection."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any, cast

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from operations import stored_files
from operations.row_locks import lock_to_delete
from operations.whole_files import is_full
from recognition import quotas
from recognition.models import TransferPart, Video, VideoTransfer
from recognition.refusals import Refusal
from recognition.uploads.actions import StorageFull, clean_name
from recognition.videos import actions
from recognition.vision.errors import VideoEmpty, VideoTooLarge, gettext_noop
from recognition.vision.video.containers import HEAD_BYTES, container_of

if TYPE_CHECKING:
    from accounts.models import User

#: The most that one part has, in bytes. A larger body would need an exception in the web server.
PART_BYTES = 1_000_000
#: The least that any but the last one has: each is a file and a row.
LEAST_BYTES = 65_536
#: Transfers that one person may have at the same time.
MOST_AT_ONCE = 8
#: For how long a transfer is remembered after something arrived last.
FORGOTTEN_AFTER = timedelta(hours=24)
#: After which a request that was making a video of its parts, and has read none since, counts as
#: dead.
JOINED_WITHIN = timedelta(minutes=2)


class WrongOffset(Refusal):
    """A part does not follow what has arrived."""

    code, status = "wrong_offset", 409

    def __init__(self, offset: int) -> None:
        super().__init__(_("%(offset)d bytes have arrived; go on there.") % {"offset": offset})


class TooManyTransfers(Refusal):
    """Somebody has begun too many."""

    code, status = "too_many_transfers", 409


class PartRefused(Refusal):
    """A part is empty, too large, or more than was announced."""

    code, status = "invalid_part", 400


class Incomplete(Refusal):
    """Something is still missing."""

    code, status = "incomplete", 409


class _JoinedAlready(Exception):
    """Another request took this one for dead, and was first."""

    def __init__(self, video: Video) -> None:
        super().__init__()
        self.video = video


def begin(
    owner: User, name: str, byte_size: int, *, frames_per_second: int = 10, keep: bool | None = None
) -> VideoTransfer:
    """Announce a video. Its size counts in the storage from now on.

    Raises:
        VideoError: it is empty or too large.
        QuotaExceeded: the owner has used up what they may.
        TooManyTransfers: the owner has :data:`MOST_AT_ONCE`.
        AccountClosed: the account is being deleted.
    """
    if byte_size < 1:
        raise VideoEmpty(gettext_noop("The file is empty."))
    if byte_size > settings.VIDEO_MAXIMUM_BYTES:
        raise VideoTooLarge(
            gettext_noop("The video has more than %(megabytes)s MB."),
            megabytes=settings.VIDEO_MAXIMUM_BYTES // (1024 * 1024),
        )
    with transaction.atomic():
        locked = quotas.lock(owner.pk)
        if VideoTransfer.objects.filter(owner=locked, video=None).count() >= MOST_AT_ONCE:
            raise TooManyTransfers(
                _("You have begun %(limit)d videos. End or delete one first.")
                % {"limit": MOST_AT_ONCE}
            )
        quotas.check_upload(locked, byte_size)
        return VideoTransfer.objects.create(
            owner=locked,
            name=clean_name(name),
            byte_size=byte_size,
            stored_bytes=byte_size,
            frames_per_second=frames_per_second,
            keep=keep,
        )


def add(transfer: VideoTransfer, offset: int, data: bytes) -> int:
    """Take the next part in; returns how many bytes have arrived.

    One that has arrived already is not taken again, and is no error: its answer was lost.

    Raises:
        WrongOffset: it does not follow what has arrived.
        PartRefused: it is empty, too large, or more than was announced.
        VideoError: what begins so is no video that we accept.
        StorageFull: there is no room.
    """
    if not 0 < len(data) <= PART_BYTES:
        raise PartRefused(_("A part has from 1 to %(limit)d bytes.") % {"limit": PART_BYTES})
    if offset == 0:
        container_of(data[:HEAD_BYTES])
    if len(data) < min(LEAST_BYTES, transfer.byte_size - offset):
        raise PartRefused(
            _("All parts but the last have at least %(n)d bytes.") % {"n": LEAST_BYTES}
        )
    part = TransferPart(transfer=transfer, offset=offset, size=len(data))
    # Named before it is written: whatever goes wrong later, it can then be deleted.
    part.file.name = TransferPart.file.field.generate_filename(part, "part")
    storage, name = part.file.storage, str(part.file.name)
    try:
        storage.save(name, ContentFile(data))
        with transaction.atomic():
            locked = VideoTransfer.objects.select_for_update().filter(pk=transfer.pk).first()
            if locked is None:
                raise VideoTransfer.DoesNotExist
            is_known = locked.parts.filter(offset=offset, size=len(data)).exists()
            if not is_known:
                if offset != locked.offset:
                    raise WrongOffset(locked.offset)
                if offset + len(data) > locked.byte_size:
                    raise PartRefused(_("This is more than was announced."))
                part.save()
                locked.offset += len(data)
            locked.save(update_fields=["offset", "touched_at"])
    except BaseException as error:
        stored_files.delete(name)
        if is_full(error):
            raise StorageFull(_("The server is out of storage space. Try again later.")) from error
        raise
    if is_known:
        stored_files.delete(name)
    return locked.offset


def finish(transfer: VideoTransfer) -> Video:
    """Make a video of what has arrived, once all of it has; asked again, the same one.

    Raises:
        Incomplete: something is missing, or somebody else is at it.
        VideoError, QuotaExceeded, AccountClosed, StorageFull: as for any video.
        VideoTransfer.DoesNotExist: it was deleted.
    """
    found = VideoTransfer.objects.select_related("owner", "video").get(pk=transfer.pk)
    if found.video is not None:
        return found.video
    if found.offset < found.byte_size:
        told = {"offset": found.offset, "size": found.byte_size}
        raise Incomplete(_("%(offset)d of %(size)d bytes have arrived.") % told)
    # Only one request makes a video of it.
    now = timezone.now()
    is_free = Q(joined_at=None) | Q(joined_at__lt=now - JOINED_WITHIN)
    rows = VideoTransfer.objects.filter(pk=found.pk)
    if not rows.filter(is_free, video=None).update(joined_at=now, touched_at=now):
        raise Incomplete(_("This video is being put together. Ask again in some seconds."))
    parts = list(found.parts.all())
    if not parts:
        raise VideoTransfer.DoesNotExist
    # However long it takes, it is alive while it reads.
    mine = rows.filter(joined_at__isnull=False, video=None)
    parts_read = _Joined(
        parts, lambda: mine.update(joined_at=timezone.now(), touched_at=timezone.now())
    )
    joined = cast("IO[Any]", io.BufferedReader(parts_read))

    def become(video: Video) -> None:
        locked = rows.select_for_update(of=("self",)).select_related("video").first()
        if locked is None:
            raise VideoTransfer.DoesNotExist
        if locked.video is not None:
            raise _JoinedAlready(locked.video)
        rows.update(video=video, stored_bytes=0)

    try:
        with joined:
            video = actions.create_video(
                found.owner,
                UploadedFile(joined, found.name, size=found.byte_size),
                frames_per_second=found.frames_per_second,
                keep=found.keep,
                counted=found.stored_bytes,
                then=become,
            )
    except _JoinedAlready as other:
        return other.video
    except BaseException:
        rows.update(joined_at=None)
        raise
    for part in parts:
        part.delete()
    return video


@transaction.atomic
def delete(transfer: VideoTransfer) -> None:
    """Delete a video on its way, also while a part of it arrives."""
    if lock_to_delete(VideoTransfer.objects.filter(pk=transfer.pk)):
        transfer.delete()


def forget_old() -> int:
    """Delete transfers that nobody went on with; returns how many."""
    old = VideoTransfer.objects.filter(touched_at__lt=timezone.now() - FORGOTTEN_AFTER)
    count = 0
    for transfer in old[:100]:
        delete(transfer)
        count += 1
    return count


class _Joined(io.RawIOBase):
    """Parts, in their order, as one file."""

    def __init__(self, parts: Sequence[TransferPart], alive: Callable[[], object]) -> None:
        """Read them.

        Args:
            parts: without a gap between them.
            alive: called for each part that is read.
        """
        super().__init__()
        self._alive = alive
        self._parts = parts
        self._offsets = [part.offset for part in parts]
        self._at = 0
        self._open: tuple[TransferPart, bytes] | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        size = self._parts[-1].offset + self._parts[-1].size
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self._rest_of_part()[: len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _rest_of_part(self) -> bytes:
        number = bisect_right(self._offsets, self._at) - 1
        part = self._parts[number]
        if self._open is None or self._open[0] is not part:
            self._alive()
            try:
                with part.file.open("rb") as file:
                    # A part is small, and fits into memory.
                    self._open = (part, file.read())
            except FileNotFoundError:
                raise VideoTransfer.DoesNotExist from None
        return self._open[1][self._at - part.offset :]
