"""The form that adds a webhook."""

from django import forms
from django.utils.translation import gettext_lazy as _


class WebhookForm(forms.Form):
    url = forms.CharField(
        label=_("URL"),
        max_length=500,
        help_text=_("A public https:// URL."),
        widget=forms.URLInput(
            attrs={"placeholder": "https://example.org/visage", "autocomplete": "off"}
        ),
    )
