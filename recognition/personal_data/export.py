"""Everything that belongs to a person as one zip archive, prepared by a task.

The claim is moved on while the work goes on. The file's name is in the row before the file is
there, so that whatever is left of an attempt that was cut off goes with the row, or with the next
attempt.
"""

from __future__ import annotations

import logging
import tempfile
import uuid
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts import audit, notices
from operations import mails, stored_files, whole_copies
from recognition import quotas
from recognition.jobs.job import ClaimLost
from recognition.jobs.running import run
from recognition.jobs.transfers import meanwhile
from recognition.models import DataExport, Upload, Video
from recognition.personal_data import contents
from recognition.refusals import Refusal
from recognition.uploads import notifications
from recognition.videos import keeping

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

DAYS_KEPT = 7
#: Photos, and lines of texts, after which progress is written and the claim moved on; a line may be
#: a photo of a hundred faces.
PHOTOS_A_STEP, LINES_A_STEP = 20, 100


class ExportRunning(Refusal):
    """One is being prepared already."""

    code, status = "export_running", 409


def start(user: User) -> DataExport:
    """Have a new export made in place of the one before.

    Raises:
        ExportRunning: one is being prepared.
        AccountClosed: the account is being deleted.
    """
    with transaction.atomic():
        owner = quotas.lock(user.pk)
        mine = DataExport.objects.filter(owner=owner)
        if mine.unfinished().exists():
            raise ExportRunning(_("Your data is already being exported."))
        mine.delete()
        export = DataExport.objects.create(
            owner=owner,
            language=translation.get_language() or settings.LANGUAGE_CODE,
            queued_at=timezone.now(),
        )
        audit.record("data_exported", owner, owner, f"export:{export.pk}")
        DataExport.objects.enqueue(export.pk)
    return export


def build(export_id: str) -> bool:
    """Prepare an export; safe to run any number of times.

    Returns:
        Whether this call finished it.
    """
    is_built = run(DataExport.objects.all(), export_id, _build)
    if not is_built and DataExport.objects.in_work().exists():
        # It waits until that one's worker sends for it, not for the sweep of lost messages.
        waiting = DataExport.objects.filter(pk=export_id, status=DataExport.Status.PENDING)
        waiting.update(queued_at=timezone.now())
        return False
    # Whoever waited for this one has not got a message any more.
    following = DataExport.objects.due().order_by("queued_at").first()
    if following is not None:
        DataExport.objects.send(following.pk)
    return is_built


def forget(owner_id: int, since: datetime | None = None) -> None:
    """Delete what somebody has exported, since it holds what is deleted for good now.

    To be called in the transaction that deletes what was given by others. One that is being
    prepared begins anew.

    Args:
        owner_id: who has exported it.
        since: when it was given; an export that was asked for before does not hold it. None for
            all exports.
    """
    with transaction.atomic():
        mine = DataExport.objects.filter(owner_id=owner_id)
        if since is not None:
            mine = mine.filter(created_at__gte=since)
        # First, so that one that is just ending is found by the one or the other.
        mine.begin_anew()
        # One that failed may have left a file of its last attempt.
        mine.filter(status__in=(DataExport.Status.DONE, DataExport.Status.FAILED)).delete()


def delete_expired() -> int:
    """Delete exports after a week, and files that no row knows; returns how many exports."""
    now = timezone.now()
    failed_before = now - timedelta(days=DAYS_KEPT)
    over = Q(expires_at__lte=now) | Q(status=DataExport.Status.FAILED, created_at__lt=failed_before)
    _total, by_model = DataExport.objects.filter(over).delete()
    _delete_strays()
    return by_model.get(DataExport._meta.label, 0)


def _build(export: DataExport) -> None:
    """Write the archive of a claimed export, and end it.

    Raises:
        ClaimLost: it was deleted, or another task has taken it over.
    """
    stored_files.delete(export.file.name)
    export.file.name = f"exports/{uuid.uuid4().hex}.zip"
    try:
        _go_on(export, 0.0, file=export.file.name)
        _write(export)
        expires_at = timezone.now() + timedelta(days=DAYS_KEPT)
        result = {"progress": 1.0, "stored_bytes": export.stored_bytes, "expires_at": expires_at}
        if not DataExport.objects.finish(export, **result):
            raise ClaimLost
    except BaseException:
        stored_files.delete(export.file.name)
        raise
    _tell_by_mail(export)


def _write(export: DataExport) -> None:
    uploads = Upload.with_trash.for_owner(export.owner).order_by("pk")
    total = uploads.count()
    # Without a name in the file system, so that it is gone however the process ends.
    with tempfile.TemporaryFile(dir=settings.DATA_DIR) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, pieces in contents.texts(export.owner, export.created_at):
                with archive.open(name, "w", force_zip64=True) as member:
                    for number, piece in enumerate(pieces):
                        member.write(piece.encode())
                        if number % LINES_A_STEP == 0:
                            _go_on(export, 0.0)
            for done, upload in enumerate(uploads.iterator(chunk_size=200)):
                # The rest is for storing the archive.
                go_on = partial(_go_on, export, 0.8 * done / total)
                _add_photo(archive, upload, go_on)
                if done % PHOTOS_A_STEP == 0:
                    go_on()
            _add_videos(archive, export)
        _go_on(export, 0.9)
        export.stored_bytes = file.tell()
        file.seek(0)
        _store(export, file)


def _add_videos(archive: zipfile.ZipFile, export: DataExport) -> None:
    kept = Video.objects.filter(owner=export.owner, status=Video.Status.DONE).exclude(file="")
    for video in kept.order_by("pk"):
        _content_type, ending = keeping.TYPES.get(video.container, keeping.UNKNOWN)
        info = zipfile.ZipInfo(f"videos/{video.pk}.{ending}", date_time=_zip_time(video.created_at))
        _add_file(archive, info, str(video.file), partial(_go_on, export, 0.8))


def _add_photo(archive: zipfile.ZipFile, upload: Upload, go_on: Callable[[], None]) -> None:
    if not upload.image:
        return
    # Stored, not deflated: a JPEG has nothing left to squeeze out.
    info = zipfile.ZipInfo(f"photos/{upload.pk}.jpg", date_time=_zip_time(upload.created_at))
    _add_file(archive, info, str(upload.image), go_on)


def _add_file(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, go_on: Callable[[], None]
) -> None:
    """Add a stored file, unless it was deleted since the list was made."""
    try:
        with (
            whole_copies.opened(name, partial(meanwhile, go_on)) as file,
            archive.open(info, "w", force_zip64=True) as member,
        ):
            while piece := file.read(whole_copies.PIECE_BYTES):
                member.write(piece)
                if len(piece) == whole_copies.PIECE_BYTES:
                    go_on()
    except FileNotFoundError:
        return


def _zip_time(created_at: datetime) -> tuple[int, int, int, int, int, int]:
    moment = timezone.localtime(created_at)
    return (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)


def _store(export: DataExport, file: IO[bytes]) -> None:
    name = meanwhile(
        lambda: _go_on(export, 0.95), lambda: default_storage.save(export.file.name, File(file))
    )
    if name != export.file.name:
        stored_files.delete(name)
        raise RuntimeError("the storage did not take the name that the row has")


def _go_on(export: DataExport, progress: float, **fields: Any) -> None:
    """Write progress and keep the claim.

    Raises:
        ClaimLost: there is nothing left to do it for.
    """
    if not DataExport.objects.extend(export, progress=progress, **fields):
        raise ClaimLost
    if progress - export.progress >= 0.1:
        export.progress = progress
        notifications.announce(export)


def _delete_strays() -> None:
    """Delete files whose row went while they were being written by a worker that was killed."""
    try:
        _folders, names = default_storage.listdir("exports")
    except FileNotFoundError:
        return
    for name in names:
        # Looked up one by one and after the list: a name is in its row before its file is there.
        if DataExport.objects.filter(file=f"exports/{name}").exists():
            continue
        try:
            stored_files.delete(f"exports/{name}")
        except SoftTimeLimitExceeded:
            raise
        except Exception:  # One that cannot be deleted must not keep the others.
            logger.exception("a file of an export could not be deleted; it is tried again")


def _tell_by_mail(export: DataExport) -> None:
    if not notices.may_tell(export.owner, export.owner.email, "exports"):
        return
    with translation.override(export.language):
        subject = _("Your data is ready")
        text = _(
            "The data export you requested is ready. Sign in and open “Privacy & data” to "
            "download it. It is deleted after %(days)d days, or earlier if it has data of a study "
            "whose participant withdraws."
        ) % {"days": DAYS_KEPT}
        try:
            mails.send(subject, text, export.owner.email)
        except mails.NotSent as error:  # The page shows it, too.
            logger.warning("that an export is ready %s", error)
