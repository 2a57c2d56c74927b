"""Two-factor sign-in, recovery codes and sessions."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import AuditEvent, User
from tests.accounts.signing_in import (
    SECRET,
    is_signed_in,
    sign_in,
    switch_on_two_factors,
    totp_code,
    wrong_code,
)


def confirm_password(client: Client, password: str) -> None:
    response = client.post("/accounts/reauthenticate/", {"password": password})
    assert response.status_code == 302


def actions(user: User) -> list[str]:
    """What the person's audit trail says, oldest first."""
    return [event.action for event in AuditEvent.objects.filter(user=user).order_by("id")]


def test_switching_on_asks_for_the_password_and_a_code(
    alice: User,
    alice_client: Client,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    response = alice_client.get("/accounts/2fa/totp/activate/")
    assert response["Location"].startswith("/accounts/reauthenticate/")
    confirm_password(alice_client, "alice-password")
    page = alice_client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    assert secret in page.content.decode()
    page = alice_client.post("/accounts/2fa/totp/activate/", {"code": wrong_code(secret)})
    assert "Incorrect code." in page.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        response = alice_client.post("/accounts/2fa/totp/activate/", {"code": totp_code(secret)})
    assert response.status_code == 302
    assert {"two_factor_enabled", "recovery_codes_made"} <= set(actions(alice))
    codes = alice_client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert codes.count("<li><code>") == 10


@pytest.mark.parametrize("path", ["/", "/uploads/", "/accounts/profile/", "/admin/"])
def test_the_password_alone_opens_nothing(path: str, charlie: User) -> None:
    switch_on_two_factors(charlie)
    client = Client()
    sign_in(client, charlie.email, "charlie-password")
    assert not is_signed_in(client)
    response = client.get(path, follow=True)
    assert charlie.email not in response.content.decode()
    client.post("/accounts/2fa/authenticate/", {"code": totp_code(SECRET)})
    assert is_signed_in(client)


def test_a_recovery_code_works_once(alice: User) -> None:
    code, *_rest = switch_on_two_factors(alice)
    for expected in (True, False):
        client = Client()
        sign_in(client, alice.email, "alice-password")
        client.post("/accounts/2fa/authenticate/", {"code": code})
        assert is_signed_in(client) is expected


def test_a_code_of_the_app_works_once(alice: User) -> None:
    switch_on_two_factors(alice)
    code = totp_code(SECRET)
    for expected in (True, False):
        client = Client()
        sign_in(client, alice.email, "alice-password")
        client.post("/accounts/2fa/authenticate/", {"code": code})
        assert is_signed_in(client) is expected


def test_switching_off_asks_first(alice: User, alice_client: Client) -> None:
    switch_on_two_factors(alice)
    response = alice_client.post("/accounts/2fa/totp/deactivate/")
    assert response["Location"].startswith("/accounts/reauthenticate/")
    assert "two_factor_disabled" not in actions(alice)
    confirm_password(alice_client, "alice-password")
    alice_client.post("/accounts/2fa/totp/deactivate/")
    assert "two_factor_disabled" in actions(alice)
    client = Client()
    sign_in(client, alice.email, "alice-password")
    assert is_signed_in(client)


def test_sessions_are_listed_and_ended(alice: User, bob: User) -> None:
    here = Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
    there = Client(headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537"})
    bobs = Client()
    sign_in(here, alice.email, "alice-password")
    sign_in(there, alice.email, "alice-password")
    sign_in(bobs, bob.email, "bob-password")
    page = here.get("/accounts/sessions/").content.decode()
    assert page.count("data-session") == 2
    assert "Firefox on Linux" in page
    assert "Chrome on Windows" in page
    here.post("/accounts/sessions/")
    assert here.get("/uploads/").status_code == 200
    assert bobs.get("/uploads/").status_code == 200
    assert there.get("/uploads/").status_code == 302
