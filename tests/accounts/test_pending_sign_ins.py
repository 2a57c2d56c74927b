"""A sign-in that has begun, with the password alone, and what happens to the account meanwhile."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import Settings

from accounts import access
from accounts.models import User
from recognition.personal_data import account_deletion
from recognition.tasks import delete_account
from tests.support.signing_in import is_signed_in, sign_in, switch_on_two_factors

NEW = {"password1": "a-third-one-7", "password2": "a-third-one-7"}


def begun(user: User) -> tuple[Client, list[str]]:
    """A browser that waits for the second factor of a sign-in, and codes that it may know."""
    codes = switch_on_two_factors(user)
    client = Client()
    sign_in(client, user.email, "alice-password")
    assert not is_signed_in(client)
    return client, codes


def finish(client: Client, code: str) -> str:
    answer = client.post("/accounts/2fa/authenticate/", {"code": code})
    assert answer.status_code == 302
    return str(answer["Location"])


def test_it_goes_on_where_nothing_happened(alice: User) -> None:
    client, codes = begun(alice)
    finish(client, codes[0])
    assert is_signed_in(client)


def test_it_ends_with_the_password_that_it_began_with(alice: User, alice_client: Client) -> None:
    client, codes = begun(alice)
    form = {"oldpassword": "alice-password", **NEW}
    assert alice_client.post("/accounts/password/change/", form).status_code == 302
    assert finish(client, codes[0]) == "/accounts/login/"
    assert not is_signed_in(client)
    finish(client, codes[1])
    assert not is_signed_in(client), "nor by another code"


def test_it_ends_with_the_access(alice: User) -> None:
    client, codes = begun(alice)
    access.end(alice, None, second_factors=False)
    assert finish(client, codes[0]) == "/accounts/login/"
    assert not is_signed_in(client)


def test_it_ends_with_a_disabled_account(alice: User) -> None:
    client, codes = begun(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    finish(client, codes[0])
    User.objects.filter(pk=alice.pk).update(is_active=True)
    assert not is_signed_in(client)


@pytest.mark.parametrize("verification", ["none", "mandatory"])
def test_a_deleted_account_leaves_none(alice: User, settings: Settings, verification: str) -> None:
    begun(alice)
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    # Somebody who has no account of this address is told the same, and is in a session, too.
    Client().post("/accounts/signup/", {"email": alice.email, **NEW, "consent": "on"})
    account_deletion.close(alice)
    delete_account.apply((alice.pk,), throw=True)
    assert not User.objects.filter(pk=alice.pk).exists()
    held = [str(session.get_decoded()) for session in Session.objects.all()]
    assert not [text for text in held if alice.email in text]
