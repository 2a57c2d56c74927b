"""Recordings: what faces showed over time, and marks that people set in them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import OwnedQuerySet


class RecordingQuerySet(OwnedQuerySet["Recording"]):
    owner_id = "owner_id"

    def without_stretches(self) -> RecordingQuerySet:
        """The same recordings, for lists: one may have 20,000, which are five megabytes."""
        return self.defer("samples")

    def stretches(self, recordings: Iterable[Recording]) -> Iterator[tuple[uuid.UUID, list[Any]]]:
        """Of each of some recordings its key and `samples`, in one query and one at a time."""
        keys = [recording.pk for recording in recordings]
        rows = self.filter(pk__in=keys).order_by().values_list("pk", "samples")
        yield from rows.iterator(chunk_size=1)


class Recording(models.Model):
    """What was seen in a camera or a video over a time: numbers, never a picture.

    Attributes:
        source: where the frames came from.
        owner: whose it is; None where it belongs to something else that leads to it, such as a
            participation in a study, and then it is in nobody's lists.
        ended_at: when it was last saved; moves on while the recording goes on.
        samples: for each time through which a face kept a label, ``[face, label, start, end,
            confidence]``, with times in seconds from `started_at`.
        model_version: of the model that gave the labels.
        labels: of its series, in the order of the columns of downloads; empty for a recording
            from before there were series.
        n_frames: frames whose faces are in the series.
        n_samples: of its series: one a face and frame.
        stored_bytes: that it takes: row, stretches, series and markers.
    """

    class Source(models.TextChoices):
        LIVE = "live", _("Live")
        VIDEO = "video", _("Video")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="recordings",
        null=True,
        blank=True,
    )
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.LIVE)
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"))
    samples = models.JSONField(default=list)
    model_version = models.CharField(_("model"), max_length=60, blank=True)
    labels = models.JSONField(default=list)
    n_frames = models.PositiveIntegerField(default=0)
    n_samples = models.PositiveIntegerField(default=0)
    stored_bytes = models.PositiveBigIntegerField(default=0)

    objects = RecordingQuerySet.as_manager()

    class Meta:
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        ordering = ["-started_at", "-id"]
        indexes = [models.Index(fields=["owner", "-started_at", "-id"])]

    def __str__(self) -> str:
        return str(self.id)

    def get_absolute_url(self) -> str:
        return reverse("live_session", args=[self.pk])

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return (self.ended_at - self.started_at).total_seconds()


class SeriesChunk(models.Model):
    """A part of a recording's series, as :mod:`recognition.series.columns` writes it.

    Attributes:
        number: its place in the series, from 0. Only the last one still changes.
        first_ms, last_ms: what time it covers, gaps included.
    """

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    first_ms = models.PositiveIntegerField()
    last_ms = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = _("part of a series")
        verbose_name_plural = _("parts of series")
        ordering = ["recording", "number"]
        constraints = [
            models.UniqueConstraint(fields=["recording", "number"], name="one_chunk_a_number")
        ]

    def __str__(self) -> str:
        return f"{self.recording_id}: {self.number}"


class MarkerQuerySet(OwnedQuerySet["Marker"]):
    owner_id = "recording__owner_id"


class Marker(models.Model):
    """A moment in a recording that somebody named.

    Attributes:
        time_ms: milliseconds since the start of the recording.
        value: a number that belongs to it, such as a rating; None where there is none.
    """

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="markers")
    time_ms = models.PositiveIntegerField(_("time (ms)"))
    name = models.CharField(_("name"), max_length=80)
    value = models.FloatField(_("value"), null=True, blank=True)

    objects = MarkerQuerySet.as_manager()

    class Meta:
        verbose_name = _("marker")
        verbose_name_plural = _("markers")
        ordering = ["time_ms", "pk"]
        indexes = [models.Index(fields=["recording", "time_ms"])]

    def __str__(self) -> str:
        return self.name

    @property
    def seconds(self) -> float:
        return self.time_ms / 1000


class StretchAnswerQuerySet(OwnedQuerySet["StretchAnswer"]):
    owner_id = "recording__owner_id"


class StretchAnswer(models.Model):
    """What a recording's owner says that a face showed from here to there.

    Where two overlap, the later one counts.

    Attributes:
        face: its number.
        start_ms, end_ms: milliseconds since the start of the recording; the end is not part of it.
        label: one of :data:`recognition.wording.CORRECTION_NAMES`.
    """

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="answers")
    face = models.PositiveIntegerField(_("face"))
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    label = models.CharField(_("label"), max_length=20)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StretchAnswerQuerySet.as_manager()

    class Meta:
        verbose_name = _("correction of a stretch")
        verbose_name_plural = _("corrections of stretches")
        ordering = ["recording", "pk"]

    def __str__(self) -> str:
        return f"{self.face}: {self.label}"

    @property
    def start(self) -> float:
        """In seconds."""
        return self.start_ms / 1000

    @property
    def end(self) -> float:
        """In seconds."""
        return self.end_ms / 1000
