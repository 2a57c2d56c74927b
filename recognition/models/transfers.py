"""Videos on their way: received part by part, so that a lost connection costs one part."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import OwnedQuerySet
from recognition.models.videos import Video


def _part_path(instance: models.Model, filename: str) -> str:
    """A name that tells nothing and cannot be guessed."""
    name = uuid.uuid4().hex
    return f"videos/parts/{name[:2]}/{name}"


class VideoTransferQuerySet(OwnedQuerySet["VideoTransfer"]):
    owner_id = "owner_id"


class VideoTransfer(models.Model):
    """A video of which a part has arrived.

    Attributes:
        name: the file name as the owner knows it.
        byte_size: of the whole file.
        offset: bytes that have arrived, from the start.
        stored_bytes: that count in the storage quota: all of the file from the first part on, so
            that what was begun can be ended.
        keep: as for a video; None for what the operator prefers.
        video: what it has become; until the transfer is forgotten, so that whoever missed the
            answer can ask again.
        joined_at: when a request read parts last that makes a video of them; None where none does.
        touched_at: when something arrived last.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="video_transfers",
    )
    name = models.CharField(_("file name"), max_length=255)
    byte_size = models.PositiveBigIntegerField()
    offset = models.PositiveBigIntegerField(default=0)
    stored_bytes = models.PositiveBigIntegerField(default=0)
    frames_per_second = models.PositiveSmallIntegerField(default=10)
    keep = models.BooleanField(null=True)
    video = models.ForeignKey(Video, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    joined_at = models.DateTimeField(null=True)
    touched_at = models.DateTimeField(auto_now=True)

    objects = VideoTransferQuerySet.as_manager()

    class Meta:
        verbose_name = _("video on its way")
        verbose_name_plural = _("videos on their way")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["touched_at"])]

    def __str__(self) -> str:
        return str(self.id)


class TransferPart(models.Model):
    """Bytes of a video on its way, from `offset` on."""

    transfer = models.ForeignKey(VideoTransfer, on_delete=models.CASCADE, related_name="parts")
    offset = models.PositiveBigIntegerField()
    size = models.PositiveIntegerField()
    file = models.FileField(upload_to=_part_path, max_length=200)

    class Meta:
        verbose_name = _("part of a video")
        verbose_name_plural = _("parts of videos")
        ordering = ["transfer", "offset"]
        constraints = [
            models.UniqueConstraint(fields=["transfer", "offset"], name="one_part_an_offset")
        ]

    def __str__(self) -> str:
        return f"{self.transfer_id}: {self.offset}"
