"""The filter of the history."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from recognition.dates import DayInput
from recognition.models import Upload, UploadQuerySet
from recognition.wording import LABEL_NAMES

NO_FACE = "none"
CORRECTED = "corrected"


#: How the history can be sorted: the value, what it is called, and the columns.
ORDERS = {
    "new": (_("Newest first"), ("-created_at", "-id")),
    "old": (_("Oldest first"), ("created_at", "id")),
    "name": (_("File name"), ("name", "-created_at", "-id")),
}


class DrawnBox(forms.Form):
    """A box that was drawn on a photo, in its pixels."""

    x = forms.IntegerField(min_value=0, max_value=10**6)
    y = forms.IntegerField(min_value=0, max_value=10**6)
    width = forms.IntegerField(min_value=1, max_value=10**6)
    height = forms.IntegerField(min_value=1, max_value=10**6)


class HistoryFilter(forms.Form):
    """What to show of the history; every field may be left open."""

    LABELS = (
        ("", _("All")),
        *LABEL_NAMES.items(),
        (NO_FACE, _("No face found")),
        (CORRECTED, _("Corrected by me")),
    )

    label = forms.ChoiceField(label=_("Expression"), required=False, choices=LABELS)
    q = forms.CharField(
        label=_("File name"), required=False, max_length=100, widget=forms.SearchInput
    )
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[("", _("All")), *Upload._meta.get_field("status").flatchoices],
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
        if values.get("q"):
            uploads = uploads.filter(name__icontains=values["q"])
        if values.get("status"):
            uploads = uploads.filter(status=values["status"])
        if values.get("since"):
            uploads = uploads.filter(created_at__date__gte=values["since"])
        if values.get("until"):
            uploads = uploads.filter(created_at__date__lte=values["until"])
        return uploads

    @property
    def query(self) -> str:
        """What is filled in, as the query of an address; other parts of it are left out."""
        return urlencode({name: self[name].value() for name in self.fields if self[name].value()})

    @property
    def is_active(self) -> bool:
        return any(self.cleaned_data.get(name) for name in self.fields)

    @property
    def is_narrowed(self) -> bool:
        """By what phones show only when asked to."""
        return bool(self.errors) or any(
            self.cleaned_data.get(name) for name in ("status", "since", "until")
        )
