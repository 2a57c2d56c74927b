"""The forms of a recording's page, and of what its scripts ask for."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms

from recognition.series.markers import LATEST_MS, NAME_LENGTH
from recognition.series.stretches import Span
from recognition.wording import CORRECTION_NAMES


class MarkerForm(forms.Form):
    """A marker: when, what, and a number that belongs to it."""

    seconds = forms.FloatField(min_value=0, max_value=LATEST_MS / 1000)
    name = forms.CharField(max_length=NAME_LENGTH)
    value = forms.FloatField(required=False)


class PartForm(forms.Form):
    """Which part of the time."""

    after_ms = forms.IntegerField(min_value=-1, max_value=LATEST_MS)
    to_ms = forms.IntegerField(min_value=0, max_value=LATEST_MS)


class OverviewForm(forms.Form):
    """Which part of the time, and in how many places."""

    #: Places where nothing is said, and at most.
    USUAL, MOST = 500, 2000

    from_ms = forms.IntegerField(min_value=0, max_value=LATEST_MS, required=False)
    to_ms = forms.IntegerField(min_value=1, max_value=LATEST_MS, required=False)
    places = forms.IntegerField(min_value=1, max_value=MOST, required=False)


class StretchForm(forms.Form):
    """From here to there, in seconds."""

    start = forms.FloatField(min_value=0, max_value=LATEST_MS / 1000)
    end = forms.FloatField(min_value=0, max_value=LATEST_MS / 1000)

    @property
    def milliseconds(self) -> tuple[int, int]:
        data = self.cleaned_data
        return round(data["start"] * 1000), round(data["end"] * 1000)


class AnswerForm(StretchForm):
    """What a face showed in a stretch."""

    face = forms.IntegerField(min_value=1, max_value=65_535)
    label = forms.ChoiceField(choices=CORRECTION_NAMES.items())

    @property
    def given(self) -> dict[str, Any]:
        start_ms, end_ms = self.milliseconds
        data = self.cleaned_data
        return {
            "face": data["face"],
            "start_ms": start_ms,
            "end_ms": end_ms,
            "label": data["label"],
        }


class BaselineForm(StretchForm):
    """The stretch whose means are subtracted."""

    def add_prefix(self, field_name: str) -> str:
        # Short names, for they are seen in the address.
        return {"start": "from", "end": "to"}.get(field_name, field_name)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "start" in data and "end" in data and data["start"] >= data["end"]:
            raise forms.ValidationError("")
        return data

    @property
    def span(self) -> Span:
        return Span(*self.milliseconds)

    @property
    def query(self) -> str:
        """The same stretch, in an address."""
        data = self.cleaned_data
        return urlencode({"from": data["start"], "to": data["end"]})
