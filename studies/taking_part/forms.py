"""What a participant is asked on paper, so to say: age and consent, and the withdrawal code."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

YES, NO = "yes", "no"


class ConsentForm(forms.Form):
    """Age and consent. Nothing of it is stored unless both are there."""

    old_enough = forms.ChoiceField(
        choices=[(YES, _("Yes")), (NO, _("No"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Please answer this question.")},
    )
    agrees = forms.BooleanField(
        error_messages={"required": _("You can take part only if you agree.")}
    )
    consent_version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, minimum_age: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_enough"].label = _("Are you at least %(age)d years old?") % {
            "age": minimum_age
        }
        self.fields["agrees"].label = _("I have read the text above, and I agree to it.")

    @property
    def refuses(self) -> bool:
        """Whether somebody is too young, or does not want to."""
        return self.data.get("decision") == NO or self.data.get("old_enough") == NO


class CodeForm(forms.Form):
    """The withdrawal code, as it was typed."""

    code = forms.CharField(label=_("Withdrawal code"), max_length=60)
