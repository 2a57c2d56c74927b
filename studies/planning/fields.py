"""Fields that several forms of studies share."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class ColumnNameField(forms.SlugField):
    """A name that is a column in downloads; spaces become hyphens."""

    default_error_messages = {
        "invalid": gettext_lazy("Use only the letters a to z, digits, hyphens and underscores.")
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Django's own message speaks of a “slug”.
        self.validators = [v for v in self.validators if not isinstance(v, RegexValidator)]
        self.validators.append(
            RegexValidator(r"^[-a-zA-Z0-9_]+\Z", self.error_messages["invalid"], "invalid")
        )

    def to_python(self, value: Any) -> str:
        return "-".join(str(super().to_python(value)).split())


class HttpsField(forms.URLField):
    """A URL that participants' browsers open: it begins with https://."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"assume_scheme": "https", **options})

    def clean(self, value: Any) -> Any:
        """As Django's; refuses other schemes, and names of people in front of the host.

        Those may have semicolons and commas, which have a meaning in a content security policy.
        """
        url = super().clean(value)
        if url and not url.startswith("https://"):
            raise forms.ValidationError(_("The URL must begin with https://."))
        if url and "@" in urlsplit(url).netloc:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            httpx.URL(url)  # Whose host can be written in ASCII, as in a header it has to be.
        except httpx.InvalidURL:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None
        return url
