"""Videos people uploaded: while they are read, and as long as they are kept."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from accounts.models import OwnedQuerySet
from recognition.jobs import queues
from recognition.jobs.job import Job, JobQuerySet, status_choices
from recognition.models.recordings import Recording
from recognition.models.uploads import GAVE_UP

CANCELLED = "cancelled"
#: Seconds after the first, second, … attempt in a row that failed; after the last of them a video
#: is given up, and its file with it, so they outlast the restart of a database.
BACK_OFF = (3, 30, 120, 240)


def _video_path(instance: models.Model, filename: str) -> str:
    """A name that tells nothing and cannot be guessed."""
    name = uuid.uuid4().hex
    return f"videos/{name[:2]}/{name}"


class VideoQuerySet(  # type: ignore[override]  # (django-stubs makes each parent a manager)
    JobQuerySet["Video"], OwnedQuerySet["Video"]
):
    owner_id = "owner_id"


class Video(Job):
    """A video whose faces a worker follows, slice by slice; what it saw is its recording.

    Its file goes as soon as the job ends, unless it is to be kept and was read to its end.

    Attributes:
        name: the file name as the owner knows it; shown, never used as a path.
        byte_size: of the file as it was received.
        container: what its first bytes say it is: FFmpeg's name of the demuxer.
        stored_bytes: that it takes in the storage now.
        keep: its owner wants to watch it with what was seen.
        width, height: of its pictures, upright, in pixels; None before the first sample.
        frames_per_second: that are looked at.
        duration_ms: as the file says; None until it has been opened, or where it does not say.
        position_ms: up to where it has been looked at.
        work_seconds: for which it has been looked at.
        error_message, error_values: a sentence in English, and what belongs in its places.
        checkpoint: what goes on needs to go on after `position_ms` as if nothing had happened:
            see :mod:`recognition.videos.progress`; None before the first sample.
    """

    CANCELLED = CANCELLED

    task = "recognition.process_video"
    queue = queues.BULK
    priority = queues.AFTER_PHOTOS
    owner_lookup = "owner_id"
    at_once = 1

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="videos",
    )
    recording = models.OneToOneField(Recording, on_delete=models.CASCADE, related_name="video")
    name = models.CharField(_("file name"), max_length=255)
    file = models.FileField(upload_to=_video_path, max_length=200, blank=True)
    byte_size = models.PositiveBigIntegerField(editable=False)
    container = models.CharField(max_length=20, blank=True, editable=False)
    stored_bytes = models.PositiveBigIntegerField(default=0, editable=False)
    keep = models.BooleanField(_("keep the video"), default=False)
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    frames_per_second = models.PositiveSmallIntegerField(default=10)
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=status_choices(cancelled=_("Cancelled")),
        default=Job.Status.PENDING,
    )
    error_code = models.CharField(_("failure code"), max_length=40, blank=True)
    error_message = models.CharField(_("failure reason"), max_length=300, blank=True)
    error_values = models.JSONField(default=dict, editable=False)
    duration_ms = models.PositiveIntegerField(null=True, editable=False)
    position_ms = models.PositiveIntegerField(default=0, editable=False)
    work_seconds = models.FloatField(default=0.0, editable=False)
    checkpoint = models.JSONField(null=True, editable=False)

    objects = VideoQuerySet.as_manager()

    class Meta:
        verbose_name = _("video")
        verbose_name_plural = _("videos")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"]),
            models.Index(fields=["status", "queued_at"]),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def back_off(self) -> int:
        """Seconds to wait after an attempt that failed."""
        return BACK_OFF[min(max(self.attempts, 1), len(BACK_OFF)) - 1]

    @classmethod
    def maximum_attempts(cls) -> int:
        return len(BACK_OFF) + 1

    @classmethod
    def gave_up(cls) -> dict[str, Any]:
        message = gettext_noop("This video couldn’t be processed after several attempts.")
        return {"error_code": GAVE_UP, "error_message": message}

    @property
    def reason(self) -> str:
        """Why it failed, in the reader's language; empty where it did not."""
        return gettext(self.error_message) % self.error_values if self.error_message else ""

    @property
    def is_kept(self) -> bool:
        """Whether it can be watched: read to its end, and still there."""
        return self.status == Job.Status.DONE and bool(self.file)

    @property
    def progress(self) -> float | None:
        """Share that has been looked at, from 0 to 1; None where its length is unknown."""
        if self.status == Job.Status.DONE:
            return 1.0
        if not self.duration_ms:
            return None
        return min(1.0, self.position_ms / self.duration_ms)

    @property
    def progress_value(self) -> str:
        """As HTML wants it, whatever the reader's language."""
        return f"{self.progress or 0:.3f}"

    @property
    def position_seconds(self) -> float:
        return self.position_ms / 1000

    @property
    def duration_seconds(self) -> float:
        return (self.duration_ms or 0) / 1000

    @property
    def frames_a_second(self) -> float | None:
        """Samples that were looked at in a second of work; None before there are any."""
        if not self.work_seconds:
            return None
        return self.position_ms / 1000 * self.frames_per_second / self.work_seconds

    @property
    def seconds_left(self) -> float | None:
        """Of work, if it goes on at this pace; None where that cannot be told."""
        if not self.duration_ms or not self.position_ms or not self.work_seconds:
            return None
        left = max(0, self.duration_ms - self.position_ms)
        return left * self.work_seconds / self.position_ms
