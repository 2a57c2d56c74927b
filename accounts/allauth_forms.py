"""Forms of allauth, where this site does otherwise."""

from __future__ import annotations

from typing import Any

from allauth.account import forms
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from django import forms as django_forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts import access, consent
from accounts.addresses import network_of
from accounts.models import User
from operations import asking_again, rates

#: Accounts that are made from one network address. A class may sign up at once; one person with
#: hundreds of accounts would have hundreds of turns.
ACCOUNTS_RATE = "100/d"
#: What Django's validators ask for, in one sentence instead of a list of four.
PASSWORD_RULE = _(
    "At least 8 characters; not a common password, not only digits, and not like your email."
)


class WithPasswordRule:
    """A form in which a password is chosen as ``password1``."""

    fields: dict[str, django_forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = PASSWORD_RULE


class SignupForm(WithPasswordRule, forms.SignupForm):
    """An address is taken by whose it is, and by nobody who only wants to change to it.

    Else anybody could keep others from signing up, by asking for a change that is never confirmed.
    """

    account_already_exists = False

    def validate_unique_email(self, value: str) -> str:
        is_somebodys = (
            User.objects.filter(email=value).exists()
            or EmailAddress.objects.filter(email=value, verified=True).exists()
        )
        if not is_somebodys:
            return value
        email: str = super().validate_unique_email(value)
        return email

    def try_save(self, request: HttpRequest) -> Any:
        wait = rates.too_often("accounts made", network_of(request), ACCOUNTS_RATE)
        if wait is not None:
            sentence = _("Many accounts were made from your network today. Try again tomorrow.")
            raise ImmediateHttpResponse(asking_again.page(request, wait, str(sentence)))
        if self.account_already_exists:
            # What takes as long as it does for an address that is nobody's yet.
            make_password(self.cleaned_data["password1"])
        try:
            return super().try_save(request)
        except IntegrityError:
            # Another request has just signed up with it: what the next one would be told.
            try:
                self.validate_unique_email(self.cleaned_data["email"])
            except django_forms.ValidationError:
                raise ImmediateHttpResponse(redirect("account_login")) from None
            return super().try_save(request)


class ChangePasswordForm(WithPasswordRule, forms.ChangePasswordForm):
    """Counts wrong passwords together with those of signing in: here they could be tried, too."""

    end_access = django_forms.BooleanField(
        label=_(
            "Also end everything else that opens my account: API tokens, webhooks, two-factor "
            "sign-in, sessions elsewhere, and invitations to my studies’ teams"
        ),
        required=False,
    )

    def clean_oldpassword(self) -> str:
        password: str = self.cleaned_data["oldpassword"]
        adapter = get_adapter()
        if not adapter.reauthenticate(self.user, password):
            raise adapter.validation_error("enter_current_password")
        return password

    def save(self) -> None:
        super().save()
        if self.cleaned_data["end_access"]:
            access.end(self.user, self.user, keep_session=context.request.session.session_key)


class ResetPasswordForm(forms.ResetPasswordForm):
    """Writes to an account's own address alone.

    allauth also looks among addresses that an account wants to change to: the link would open the
    account of whoever claimed somebody else's.
    """

    users: list[User]

    def clean_email(self) -> str:
        _refuse_without_mail()
        email: str = super().clean_email()
        self.users = [user for user in self.users if user.email.lower() == email.lower()]
        return email


class ResetPasswordKeyForm(WithPasswordRule, forms.ResetPasswordKeyForm):
    """A new password for who reads the mail of the address, which may not be who signed up.

    Where nobody had shown before that the address is theirs, all that was set up until now ends,
    and they are asked anew what they agree to.
    """

    user: User | None
    end_access = django_forms.BooleanField(
        label=_(
            "Also end everything else that opens my account: API tokens, webhooks, sessions, and "
            "invitations to my studies’ teams"
        ),
        required=False,
        initial=True,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Who was invited has nothing yet.
        user = self.user
        if user is None or not user.has_usable_password() or not access.owns_address(user):
            del self.fields["end_access"]

    @transaction.atomic
    def save(self) -> None:
        self.user = user = self._locked()
        super().save()
        if not access.owns_address(user):
            access.end(user, user)
            consent.withdraw_all(user)
            access.note_that_address_is_theirs(user)
        elif self.cleaned_data.get("end_access"):
            access.end(user, user, second_factors=False)
        else:
            access.forget_pending_addresses(user)

    def _locked(self) -> User:
        """The person, read anew: of several requests with one link the first alone may use it.

        The others, which had found it good as well, are told what any used link is told.
        """
        assert self.user is not None  # Else there was no form.
        user = User.objects.select_for_update(no_key=True).get(pk=self.user.pk)
        if not forms.default_token_generator.check_token(user, self.temp_key):
            uid = user_pk_to_url_str(user)
            raise ImmediateHttpResponse(
                redirect("account_reset_password_from_key", uidb36=uid, key="set-password")
            )
        return user


class AddEmailForm(forms.AddEmailForm):
    """The present address stays until the new one is confirmed, be it confirmed itself or not.

    allauth would take an unconfirmed present address for a change that is given up, and leave
    the person without any.

    Where every address is verified, nobody learns here whose have an account, as at sign-up.
    """

    is_somebodys = False

    def clean_email(self) -> str:
        _refuse_without_mail()
        email: str = super().clean_email()
        # allauth looks at confirmed addresses only; confirming this one would fail.
        self.is_somebodys = User.objects.exclude(pk=self.user.pk).filter(email=email).exists()
        if self.is_somebodys and settings.ACCOUNT_EMAIL_VERIFICATION != "mandatory":
            raise get_adapter().validation_error("email_taken")
        return email

    def save(self, request: HttpRequest) -> EmailAddress:
        with transaction.atomic():
            access.refuse_if_ended(self.user)
            unconfirmed = EmailAddress.objects.filter(user=self.user, verified=False)
            unconfirmed.exclude(email=self.user.email).delete()
            address = EmailAddress.objects.create(user=self.user, email=self.cleaned_data["email"])
        if self.is_somebodys:
            # Of nobody who signs up, it tells whose it is that there is an account.
            unknown = EmailAddress(email=address.email)
            send_verification_email_to_address(request, unknown, signup=True)
        else:
            send_verification_email_to_address(request, address)
        return address


def _refuse_without_mail() -> None:
    if not settings.CAN_MAIL:
        raise django_forms.ValidationError(
            _("This site sends no mail. Ask whoever runs it."), code="no_mail"
        )
