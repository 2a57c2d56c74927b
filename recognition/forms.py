"""The filter of the history, and what people choose about their photos."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recognition import retention
from recognition.labels import LABEL_NAMES
from recognition.models import Upload, UploadQuerySet

NO_FACE = "none"
CORRECTED = "corrected"


class DayInput(forms.DateInput):
    """A browser's own calendar, which reads and writes ISO dates whatever the language."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class HistoryFilter(forms.Form):
    """What to show of the history; every field may be left open."""

    label = forms.ChoiceField(
        label=_("Expression"),
        required=False,
        choices=[
            ("", _("Any")),
            *LABEL_NAMES.items(),
            (NO_FACE, _("No face found")),
            (CORRECTED, _("Corrected by me")),
        ],
    )
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("Any")), *Upload.Status.choices]
    )
    since = forms.DateField(label=_("From"), required=False, widget=DayInput())
    until = forms.DateField(label=_("To"), required=False, widget=DayInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            is_choice = isinstance(field, forms.ChoiceField)
            field.widget.attrs["class"] = "form-select" if is_choice else "form-control"

    def apply(self, uploads: UploadQuerySet) -> UploadQuerySet:
        """Narrow `uploads`; a field that is not valid narrows nothing."""
        self.is_valid()
        values = self.cleaned_data
        if values.get("label") == NO_FACE:
            uploads = uploads.without_faces()
        elif values.get("label") == CORRECTED:
            uploads = uploads.corrected()
        elif values.get("label"):
            uploads = uploads.showing(values["label"])
        if values.get("status"):
            uploads = uploads.filter(status=values["status"])
        if values.get("since"):
            uploads = uploads.filter(created_at__date__gte=values["since"])
        if values.get("until"):
            uploads = uploads.filter(created_at__date__lte=values["until"])
        return uploads

    @property
    def is_active(self) -> bool:
        return any(self.cleaned_data.get(name) for name in self.fields)


class RetentionChoice(forms.Form):
    """How long photos are kept; the value of the default is empty."""

    days = forms.TypedChoiceField(
        label=_("Keep my photos"),
        required=False,
        coerce=int,
        empty_value=None,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.TypedChoiceField", self.fields["days"])
        field.choices = [("" if days is None else days, name) for days, name in retention.choices()]


class StatisticsRange(forms.Form):
    """From when to when, and by what."""

    start = forms.DateField(label=_("From"), widget=DayInput())
    end = forms.DateField(label=_("To"), widget=DayInput())
    period = forms.ChoiceField(
        label=pgettext_lazy("grouping", "By"), choices=[("day", _("Day")), ("week", _("Week"))]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-select" if name == "period" else "form-control"
