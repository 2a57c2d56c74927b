"""What people choose about their data."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from recognition.uploads import retention


class RetentionChoice(forms.Form):
    """How long photos and kept videos stay; the value of the default is empty."""

    days = forms.TypedChoiceField(
        label=_("Keep photos and videos"),
        required=False,
        coerce=int,
        empty_value=None,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.TypedChoiceField", self.fields["days"])
        field.choices = [("" if days is None else days, name) for days, name in retention.choices()]
