"""The form for a video."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

#: Frames a second that people may choose from.
CHOICES = (5, 10, 15, 30)


class NewVideo(forms.Form):
    """A video, and how closely it is looked at."""

    video = forms.FileField(label=_("Video"))
    frames_per_second = forms.TypedChoiceField(
        label=_("Frames per second"),
        choices=[(number, str(number)) for number in CHOICES],
        coerce=int,
        initial=10,
        required=False,
        empty_value=10,  # type: ignore[arg-type]  # (django-stubs knows text only)
    )
    keep = forms.BooleanField(label=_("Keep the video"), required=False)
