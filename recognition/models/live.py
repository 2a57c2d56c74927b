"""Live sessions that people recorded, and how long they were live."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import OwnedQuerySet


class LiveSessionQuerySet(OwnedQuerySet["LiveSession"]):
    owner_id = "owner_id"


class LiveSession(models.Model):
    """What a live page saw while it was recorded: labels over time, never a picture.

    Attributes:
        ended_at: when it was last saved; moves on while the recording goes on.
        samples: for each time through which a face kept a label, ``[face, label, start, end,
            confidence]``, with times in seconds from `started_at`.
        model_version: of the model that gave the labels.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="live_sessions",
    )
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"))
    samples = models.JSONField(default=list)
    model_version = models.CharField(_("model"), max_length=60, blank=True)

    objects = LiveSessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("live session")
        verbose_name_plural = _("live sessions")
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


class LiveUsage(models.Model):
    """How long a person was live on one day (UTC), for the quota of live minutes."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="live_usage",
    )
    day = models.DateField(_("day"))
    seconds = models.FloatField(default=0.0)

    class Meta:
        verbose_name = _("live usage")
        verbose_name_plural = _("live usage")
        constraints = [models.UniqueConstraint(fields=["owner", "day"], name="one_usage_a_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.seconds:.0f} s"
