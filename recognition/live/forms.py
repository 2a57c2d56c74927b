"""The form of a recording's page."""

from __future__ import annotations

from django import forms

from recognition.series.markers import LATEST_MS, NAME_LENGTH


class MarkerForm(forms.Form):
    """A marker: when, what, and a number that belongs to it."""

    seconds = forms.FloatField(min_value=0, max_value=LATEST_MS / 1000)
    name = forms.CharField(max_length=NAME_LENGTH)
    value = forms.FloatField(required=False)
