"""Forms of the account pages. allauth imports this module; it must not import allauth's forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import consent
from accounts.models import ApiToken, User
from accounts.purposes import ACCOUNT

#: Of one person's tokens: their page lists all of them.
MAXIMUM_TOKENS = 100


class ConsentForm(forms.Form):
    """A box that must be ticked; sign-up has it below its own fields."""

    consent = forms.BooleanField(
        label=_("I agree to my photos being processed this way."),
        error_messages={"required": _("We can’t process photos without your consent.")},
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth once the person is there."""
        consent.give(user, ACCOUNT)


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("first_name", "last_name")
        widgets = {
            "first_name": forms.TextInput(attrs={"autocomplete": "given-name"}),
            "last_name": forms.TextInput(attrs={"autocomplete": "family-name"}),
        }


class TokenForm(forms.ModelForm):
    """A new API token of `user`."""

    days = forms.TypedChoiceField(
        label=_("Expires in"),
        choices=[
            ("7", _("7 days")),
            ("30", _("30 days")),
            ("90", _("90 days")),
            ("365", _("1 year")),
            ("", _("Never expires")),
        ],
        coerce=int,
        empty_value=None,
        required=False,
        initial="90",
    )

    class Meta:
        model = ApiToken
        fields = ("name", "scope")
        labels = {"scope": _("Access")}
        help_texts = {
            "name": _("What it’s for, so you can recognise it later."),
            "scope": _(
                "A token for live frames opens the live socket and nothing else, once you have "
                "started the live page and accepted its notice."
            ),
        }
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.user = user

    def clean(self) -> dict[str, Any]:
        super().clean()
        if ApiToken.objects.for_owner(self.instance.user).count() >= MAXIMUM_TOKENS:
            raise forms.ValidationError(
                _("You have %(count)d tokens, which is the maximum."),
                params={"count": MAXIMUM_TOKENS},
            )
        return self.cleaned_data

    def clean_name(self) -> str:
        # The user is no field of the form, so that Django leaves this rule out.
        name: str = self.cleaned_data["name"]
        if ApiToken.objects.for_owner(self.instance.user).filter(name=name).exists():
            raise forms.ValidationError(_("You already have a token with this name."))
        return name
