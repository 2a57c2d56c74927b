"""Files of stimuli: taken in, kept in the study's folder, sent in ranges, and deleted.

An image is written anew where photos are. A video or a sound is not decoded here: it must begin
like one of a short list, and leaves as exactly that type, which no browser may guess anew.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Sum
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from operations import stored_files
from operations.private_files import private_file
from operations.whole_files import is_full
from recognition import quotas
from recognition.refusals import Refusal
from recognition.uploads.actions import Busy, StorageFull, decoding_pool
from recognition.vision import images
from recognition.vision.decoding.pool import DecodingBusy
from recognition.vision.errors import ImageError
from recognition.wording import refusal_text
from studies.models import Block, Study
from studies.models.blocks import stimulus_path
from studies.planning import media
from studies.planning.drafts import changing


class StimulusRefused(Refusal):
    """The file is none that the block can show."""

    code, status = "stimulus_refused", 400


def most_bytes(block: Block) -> int:
    """Bytes that a file for the block may have."""
    is_image = block.kind == Block.Kind.IMAGE
    return settings.PHOTO_MAXIMUM_BYTES if is_image else settings.STIMULUS_MAXIMUM_BYTES


def take_in(block: Block, file: UploadedFile) -> None:
    """Check a file and make it the block's, in place of the one before.

    Raises:
        StimulusRefused: it is not of a kind, or larger than, what the block can show.
        QuotaExceeded, StorageFull, Busy: there is no room, or no time, for it.
        PlanIsFixed: the study was opened.
        AccountClosed: the owner's account is being deleted.
    """
    if block.kind == Block.Kind.IMAGE:
        keep(block, *_clean_image(block, file))
        return
    if (file.size or 0) > most_bytes(block):
        limit = filesizeformat(most_bytes(block))
        raise StimulusRefused(_("A file may have at most %(limit)s.") % {"limit": limit})
    found = media.media_type(file.read(media.HEAD_BYTES))
    file.seek(0)
    if block.kind == Block.Kind.VIDEO and found not in media.VIDEOS:
        raise StimulusRefused(_("This is not a video that browsers play. Use MP4 or WebM."))
    if block.kind == Block.Kind.SOUND and found not in media.SOUNDS:
        raise StimulusRefused(
            _("This is not a sound that browsers play. Use MP3, M4A, Ogg or WAV.")
        )
    if block.kind not in Block.WITH_FILE:
        raise StimulusRefused(_("This block has no file."))
    keep(block, file, found)


def keep(block: Block, file: File, media_type: str) -> None:
    """Store a file that was checked as the block's; as :func:`take_in` otherwise."""
    size = file.size or 0
    name = stimulus_path(block, "")
    try:
        default_storage.save(name, file)
        with transaction.atomic():
            # People before studies, as for whoever takes one over.
            owner = quotas.lock(block.study.owner_id)
            with changing(block.study) as study:
                quotas.check_room(owner if owner.pk == study.owner_id else study.owner, size)
                _store(block, study, name, media_type, size)
    except BaseException as error:
        stored_files.delete(name)
        if is_full(error):
            raise StorageFull(_("The server is out of storage space. Try again later.")) from error
        raise
    block.refresh_from_db()


def _store(block: Block, study: Study, name: str, media_type: str, size: int) -> None:
    others = study.blocks.exclude(pk=block.pk).aggregate(n=Sum("stored_bytes"))["n"] or 0
    if others + size > settings.STUDY_MAXIMUM_BYTES:
        limit = filesizeformat(settings.STUDY_MAXIMUM_BYTES)
        raise StimulusRefused(
            _("The files of a study may have %(limit)s together.") % {"limit": limit}
        )
    before = study.blocks.values_list("file", flat=True).filter(pk=block.pk).first()
    if before is None:
        raise StimulusRefused(_("This block has been deleted."))
    values = {"file": name, "media_type": media_type, "stored_bytes": size}
    study.blocks.filter(pk=block.pk).update(**values)
    stored_files.delete_on_commit(before)


def stimulus_response(request: HttpRequest, block: Block) -> HttpResponseBase:
    """A block's file, or the part that a player asks for, once the caller knows who may see it.

    Raises:
        Http404: there is no file.
    """
    if not block.file:
        raise Http404
    is_known = block.media_type in {*media.VIDEOS, *media.SOUNDS, "image/jpeg"}
    content_type = block.media_type if is_known else "application/octet-stream"
    return private_file(block.file, content_type, request)


def _clean_image(block: Block, file: UploadedFile) -> tuple[ContentFile, str]:
    if (file.size or 0) > most_bytes(block):
        raise StimulusRefused(refusal_text(images.too_many_bytes(most_bytes(block))))
    try:
        clean = decoding_pool().clean(file, block.study.owner_id)
    except ImageError as error:
        raise StimulusRefused(refusal_text(error)) from None
    except DecodingBusy:
        raise Busy(_("The site is busy with other photos. Try again in a moment.")) from None
    return ContentFile(clean.jpeg), "image/jpeg"


@receiver(post_delete, sender=Block)
def _delete_file(instance: Block, **kwargs: Any) -> None:
    """Whichever way the block goes, its file goes with it."""
    stored_files.delete_on_commit(*stored_files.names_of(instance))
