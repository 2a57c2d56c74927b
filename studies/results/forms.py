"""The rules for leaving participants out, as a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from operations.seen_forms import SeenForm
from studies.models import ExclusionRule, Study


class RulesForm(SeenForm):
    """Rules that are the same for every participant."""

    face_percent = forms.FloatField(
        label=_("Least share of frames with a face (%)"), min_value=0, max_value=100
    )
    frames_per_second = forms.FloatField(
        label=_("Least frames per second"), min_value=0, max_value=60
    )
    keeps_unfinished = forms.BooleanField(
        label=_("Include participants who didn’t finish"), required=False
    )

    def __init__(self, study: Study, sent: Mapping[str, Any] | None = None) -> None:
        rule = ExclusionRule.objects.filter(study=study).first() or ExclusionRule()
        initial = {
            "face_percent": round(100 * study.exclude_below, 1),
            "frames_per_second": rule.least_frames_per_second,
            "keeps_unfinished": rule.keeps_unfinished,
        }
        super().__init__(sent, initial=initial)
        for name, field in self.fields.items():
            is_box = name == "keeps_unfinished"
            field.widget.attrs["class"] = "form-check-input" if is_box else "form-control"
            if not is_box:
                field.widget.attrs["step"] = "any"
        self._study = study

    def save(self, user: User) -> None:
        """Write the rules down, with who changed them: not who saved them as they were."""
        if not set(self.changed_data) - {"seen"}:
            return
        values = self.cleaned_data
        Study.objects.filter(pk=self._study.pk).update(exclude_below=values["face_percent"] / 100)
        ExclusionRule.objects.update_or_create(
            study=self._study,
            defaults={
                "least_frames_per_second": values["frames_per_second"],
                "keeps_unfinished": values["keeps_unfinished"],
                "changed_by": user,
            },
        )
