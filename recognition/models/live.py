"""How long people were live."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


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
