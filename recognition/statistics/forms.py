"""Which time the statistics are asked for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recognition.dates import DayInput


class StatisticsRange(forms.Form):
    """From when to when, and by what."""

    start = forms.DateField(label=_("From"), widget=DayInput())
    end = forms.DateField(label=_("To"), widget=DayInput())
    period = forms.ChoiceField(
        label=pgettext_lazy("grouping", "Group by"),
        choices=[("day", _("Day")), ("week", _("Week"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-select" if name == "period" else "form-control"
