"""What the operator decides about models."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from recognition.jobs import queues
from recognition.jobs.job import Job, JobQuerySet, status_choices


class ModelChoice(models.Model):
    """The manifest that the operator made active; the newest row counts.

    Attributes:
        manifest: file name in the folder of the default manifest.
        version: of the model, as its manifest says.
    """

    manifest = models.CharField(_("manifest"), max_length=200)
    version = models.CharField(_("version"), max_length=60)
    chosen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("activated by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    chosen_at = models.DateTimeField(_("activated"), auto_now_add=True)

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["-chosen_at", "-id"]

    def __str__(self) -> str:
        return self.version


def _listed(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Changed photos of a comparison; the first ones ever had no list."""
    changed: list[dict[str, Any]] = result.get("changed", [])
    return changed


class ModelComparisonQuerySet(JobQuerySet["ModelComparison"]):
    def forget(self, upload_ids: Collection[uuid.UUID]) -> None:
        """Take photos that are deleted, and what was seen in them, out of the lists of changes.

        Counts stay. Call it in the transaction that deletes the photos.
        """
        gone = {str(pk) for pk in upload_ids}
        for pk, result in self.exclude(result=None).values_list("pk", "result"):
            if result is None or not any(one["upload"] in gone for one in _listed(result)):
                continue
            locked = self.select_for_update(no_key=True).filter(pk=pk).first()
            if locked is not None and locked.result is not None:
                changed = [one for one in _listed(locked.result) if one["upload"] not in gone]
                self.filter(pk=pk).update(result={**locked.result, "changed": changed})


class ModelComparison(Job):
    """Stored uploads replayed through a candidate: what would change if it were active.

    Attributes:
        candidate: file name of its manifest, in the folder of the default manifest.
        upload_ids: what is replayed, in this order; fixed at the start.
        only_corrected: whether only uploads with a corrected face were taken.
        attempts: times a worker has begun since it last got further.
        result: counts and changed faces, as `recognition.model_registry.comparison` writes them.
        error: why it failed, for the operator.
    """

    #: A status that only comparisons have.
    CANCELLED = "cancelled"

    task = "recognition.compare_models"
    # After all photos that wait: Redis serves 0 first and 9 last.
    priority = queues.LAST

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    candidate = models.CharField(_("candidate"), max_length=200)
    upload_ids = models.JSONField(default=list)
    only_corrected = models.BooleanField(_("only corrected photos"), default=False)
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=status_choices(cancelled=_("Cancelled")),
        default=Job.Status.PENDING,
    )
    progress = models.FloatField(_("progress"), default=0.0)
    result = models.JSONField(null=True)
    error = models.CharField(max_length=300, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("started by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("started"), auto_now_add=True)

    objects = ModelComparisonQuerySet.as_manager()

    class Meta:
        verbose_name = _("comparison")
        verbose_name_plural = _("comparisons")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.candidate

    @property
    def is_running(self) -> bool:
        """Waiting for a worker or being worked on."""
        return not self.is_finished

    @classmethod
    def requeue_seconds(cls) -> int:
        # Long: the lowest priority waits for every photo.
        return 600

    @classmethod
    def gave_up(cls) -> dict[str, Any]:
        return {"error": _now("It failed after several attempts.")}
