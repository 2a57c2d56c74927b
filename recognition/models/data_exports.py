"""Exports of everything that belongs to a person."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import OwnedQuerySet
from recognition.jobs import queues
from recognition.jobs.job import Job, JobQuerySet, status_choices


def _export_path(instance: models.Model, filename: str) -> str:
    return f"exports/{uuid.uuid4().hex}.zip"


class DataExportQuerySet(  # type: ignore[override]  # (django-stubs makes each parent a manager)
    JobQuerySet["DataExport"], OwnedQuerySet["DataExport"]
):
    owner_id = "owner_id"


class DataExport(Job):
    """A zip archive of a person's data, prepared by a task.

    Attributes:
        language: in which it was asked for, and its mail is written.
        progress: share that is done, from 0 to 1.
        stored_bytes: that the archive takes in the storage.
        expires_at: when a sweep deletes it, file and all.
    """

    task = "recognition.build_export"
    priority = queues.AFTER_PHOTOS
    owner_lookup = "owner_id"
    #: So that workers are left for photos.
    alone = True

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="data_exports",
    )
    language = models.CharField(max_length=10, default="en")
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=status_choices(processing=_("Preparing"), done=_("Ready")),
        default=Job.Status.PENDING,
    )
    progress = models.FloatField(default=0.0)
    file = models.FileField(upload_to=_export_path, max_length=200, blank=True)
    stored_bytes = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField(_("expires on"), null=True)

    objects = DataExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("data export")
        verbose_name_plural = _("data exports")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["owner", "-created_at"])]

    def __str__(self) -> str:
        return str(self.id)
