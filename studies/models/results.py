"""What results need beside the data: rules of exclusion, and what is slow to make."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.participations import Participation
from studies.models.studies import Study


class ExclusionRule(models.Model):
    """Who is left out of a study's results, beside :attr:`Study.exclude_below`.

    Attributes:
        least_frames_per_second: participants with fewer are left out.
        keeps_unfinished: participants who did not finish stay in.
        changed_by: who last changed a rule; None where their account is gone.
    """

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="exclusion_rule")
    least_frames_per_second = models.FloatField(
        _("least frames per second"),
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(60.0)],
    )
    keeps_unfinished = models.BooleanField(
        _("include participants who didn’t finish"), default=False
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("exclusion rule")
        verbose_name_plural = _("exclusion rules")

    def __str__(self) -> str:
        return str(self.study_id)


class ParticipationGrid(models.Model):
    """A participation's curves on their grid, kept because they take time to make.

    It goes with the participation, and is made anew where its fingerprint is not that of the data.
    """

    participation = models.OneToOneField(
        Participation, on_delete=models.CASCADE, primary_key=True, related_name="grid"
    )
    fingerprint = models.CharField(max_length=80)
    data = models.BinaryField()

    class Meta:
        verbose_name = _("curves of a participation")
        verbose_name_plural = _("curves of participations")

    def __str__(self) -> str:
        return str(self.participation_id)
