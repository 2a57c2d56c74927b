"""Forms of allauth, where this site does otherwise."""

from __future__ import annotations

from allauth.account import forms
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django.http import HttpRequest

from accounts.models import User


class ChangePasswordForm(forms.ChangePasswordForm):
    """Counts wrong passwords together with those of signing in: here they could be tried, too."""

    def clean_oldpassword(self) -> str:
        password: str = self.cleaned_data["oldpassword"]
        adapter = get_adapter()
        if not adapter.reauthenticate(self.user, password):
            raise adapter.validation_error("enter_current_password")
        return password


class AddEmailForm(forms.AddEmailForm):
    """The present address stays until the new one is confirmed, be it confirmed itself or not.

    allauth would take an unconfirmed present address for a change that is given up, and leave
    the person without any.
    """

    def clean_email(self) -> str:
        email: str = super().clean_email()
        # allauth looks at confirmed addresses only; confirming this one would fail.
        if User.objects.exclude(pk=self.user.pk).filter(email=email).exists():
            raise get_adapter().validation_error("email_taken")
        return email

    def save(self, request: HttpRequest) -> EmailAddress:
        unconfirmed = EmailAddress.objects.filter(user=self.user, verified=False)
        unconfirmed.exclude(email=self.user.email).delete()
        address = EmailAddress.objects.create(user=self.user, email=self.cleaned_data["email"])
        send_verification_email_to_address(request, address)
        return address
