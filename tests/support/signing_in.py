"""Signing in as people do: by the form, and with codes of an authenticator app."""

from __future__ import annotations

import re
import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core import mail
from django.http import HttpResponse
from django.test import Client

from accounts.models import User

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PERIOD = 30


def totp_code(secret: str) -> str:
    """What the app shows now; waits where it would change within a second or two."""
    if time.time() % PERIOD > PERIOD - 3:
        time.sleep(4)
    return format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD))


def wrong_code(secret: str) -> str:
    """One that does not become right soon."""
    now = int(time.time()) // PERIOD
    near = {format_hotp_value(hotp_value(secret, now + step)) for step in range(-2, 3)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in near)


def switch_on_two_factors(user: User) -> list[str]:
    """As after the pages of two-factor sign-in; returns the recovery codes."""
    TOTP.activate(user, SECRET)
    codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
    assert Authenticator.objects.filter(user=user).count() == 2
    return codes


def sign_in(
    client: Client, email: str, password: str, path: str = "/accounts/login/", **options: str
) -> HttpResponse:
    response: HttpResponse = client.post(path, {"login": email, "password": password}, **options)
    return response


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def confirm_password(client: Client, password: str) -> None:
    response = client.post("/accounts/reauthenticate/", {"password": password})
    assert response.status_code == 302


def link_in(message: mail.EmailMessage) -> str:
    """The path of the link in a mail."""
    found = re.search(r"https://faces\.example(/\S+)", str(message.body))
    assert found is not None
    return found[1]
