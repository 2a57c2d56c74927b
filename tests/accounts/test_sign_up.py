"""Signing up, being invited, and changing name, address and password."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import get_hasher
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from accounts import allauth_forms, consent
from accounts.invitations import AlreadyThere, invite
from accounts.models import AuditEvent, Consent, User
from operations import rates
from tests.support.signing_in import confirm_password, is_signed_in, link_in, sign_in

FORM = {
    "email": "dora@example.org",
    "password1": "a-good-password-7",
    "password2": "a-good-password-7",
}


@pytest.mark.django_db
def test_signing_up_needs_consent_and_stores_it() -> None:
    client = Client()
    page = client.post("/accounts/signup/", FORM)
    assert "without your consent" in page.content.decode()
    assert not User.objects.exists()
    assert client.post("/accounts/signup/", {**FORM, "consent": "on"}).status_code == 302
    row = Consent.objects.get(user__email="dora@example.org")
    assert (row.purpose, row.version) == ("account", consent.VERSIONS["account"])
    assert row.given_at is not None
    assert client.get("/").status_code == 200
    assert is_signed_in(client)


@pytest.mark.django_db
def test_a_closed_site_takes_nobody_and_offers_nothing(settings: Settings) -> None:
    settings.SIGNUP = "closed"
    client = Client()
    page = client.post("/accounts/signup/", {**FORM, "consent": "on"})
    assert "invitation-only" in page.content.decode()
    assert not User.objects.exists()
    for path in ("/", "/accounts/login/"):
        assert "/accounts/signup/" not in client.get(path).content.decode()


@pytest.mark.django_db
def test_an_invited_person_sets_a_password_and_accepts(settings: Settings) -> None:
    settings.SIGNUP = "closed"
    call_command("invite", "Dora@Example.org")
    (message,) = mail.outbox
    assert message.to == ["dora@example.org"]
    assert "https://faces.example/accounts/password/reset/key/" in message.body
    client = Client()
    assert not is_signed_in(client)
    form_page = client.get(link_in(message))
    form = {"password1": FORM["password1"], "password2": FORM["password1"]}
    assert client.post(form_page["Location"], form).status_code == 302
    assert client.get(link_in(message)).status_code == 200  # Used up: no form behind it.
    response = sign_in(client, "dora@example.org", FORM["password1"])
    assert response.status_code == 302
    assert client.get("/")["Location"] == "/accounts/consent/?next=%2F"
    user = User.objects.get()
    assert set(AuditEvent.objects.for_owner(user).values_list("action", flat=True)) == {
        "invited", "password_changed", "signed_in",
    }  # fmt: skip


def test_only_those_without_a_password_are_invited_again(alice: User) -> None:
    invite("dora@example.org")
    invite("dora@example.org")
    assert len(mail.outbox) == 2
    assert User.objects.filter(email="dora@example.org").count() == 1
    with pytest.raises(AlreadyThere):
        invite(alice.email)
    with pytest.raises(ValidationError):
        invite("no address")
    with pytest.raises(CommandError):
        call_command("invite", "no address", alice.email)
    assert len(mail.outbox) == 2


def test_the_bare_address_leads_to_the_profile(alice_client: Client) -> None:
    assert alice_client.get("/accounts/")["Location"] == "/accounts/profile/"


def test_a_name_can_be_given(alice: User, alice_client: Client) -> None:
    alice_client.post("/accounts/profile/", {"first_name": "Alice", "last_name": "", "email": "x"})
    alice.refresh_from_db()
    assert (alice.first_name, alice.email) == ("Alice", "alice@example.org")


def test_the_address_changes_once_the_new_one_is_confirmed(
    alice: User, alice_client: Client
) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=True)
    new = {"email": "alice@new.example", "action_add": ""}
    response = alice_client.post("/accounts/email/", new)
    assert response["Location"].startswith("/accounts/reauthenticate/")
    confirm_password(alice_client, "alice-password")
    alice_client.post("/accounts/email/", new)
    page = alice_client.get("/accounts/email/").content.decode()
    assert "alice@new.example" in page
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
    path = link_in(mail.outbox[-1])
    assert mail.outbox[-1].to == ["alice@new.example"]
    alice_client.post(path)
    alice.refresh_from_db()
    assert alice.email == "alice@new.example"
    assert AuditEvent.objects.filter(user=alice, action="email_changed").count() == 1
    client = Client()
    sign_in(client, "alice@new.example", "alice-password")
    assert is_signed_in(client)


@pytest.mark.parametrize("is_confirmed", [True, False, None])
def test_no_address_is_anybodys_before_it_is_confirmed(
    alice: User, alice_client: Client, is_confirmed: bool | None
) -> None:
    """What allauth's page for several addresses does is not done by requests, either."""
    if is_confirmed is not None:
        EmailAddress.objects.create(
            user=alice, email=alice.email, primary=True, verified=is_confirmed
        )
    confirm_password(alice_client, "alice-password")
    alice_client.post("/accounts/email/", {"email": "alice@new.example", "action_add": ""})
    for email, action in [
        ("alice@new.example", "action_primary"),
        (alice.email, "action_remove"),
        (alice.email.upper(), "action_remove"),
    ]:
        alice_client.post("/accounts/email/", {"email": email, action: ""})
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
    assert EmailAddress.objects.filter(email="alice@new.example", verified=False).exists()


@pytest.mark.parametrize("verification", ["none", "optional"])
def test_an_unconfirmed_address_stays_until_the_new_one_is_confirmed(
    verification: str, db: None, settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    client = Client()
    client.post("/accounts/signup/", {**FORM, "consent": "on"})
    confirm_password(client, FORM["password1"])
    for address in ("first@new.example", "second@new.example"):
        client.post("/accounts/email/", {"email": address, "action_add": ""})
    user = User.objects.get()
    assert user.email == "dora@example.org"
    page = client.get("/accounts/email/").content.decode()
    assert "<strong>second@new.example" in page
    assert "<strong>first@new.example" not in page
    client.post("/accounts/email/", {"email": "second@new.example", "action_remove": ""})
    client.post("/accounts/email/", {"email": "third@new.example", "action_add": ""})
    client.post(link_in(mail.outbox[-1]))
    user.refresh_from_db()
    assert user.email == "third@new.example"
    assert [row.email for row in EmailAddress.objects.all()] == ["third@new.example"]


def test_nobody_takes_the_address_of_another(alice: User, bob: User, bob_client: Client) -> None:
    confirm_password(bob_client, "bob-password")
    page = bob_client.post("/accounts/email/", {"email": alice.email, "action_add": ""})
    assert "already registered" in page.content.decode()
    assert not mail.outbox


def test_a_change_of_address_does_not_tell_whose_have_an_account(
    alice: User, bob: User, bob_client: Client, settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    EmailAddress.objects.create(user=bob, email=bob.email, primary=True, verified=True)
    confirm_password(bob_client, "bob-password")
    told = []
    for address in (alice.email, "nobody@new.example"):
        answer = bob_client.post("/accounts/email/", {"email": address, "action_add": ""})
        page = bob_client.get("/accounts/email/").content.decode()
        told.append((answer.status_code, answer["Location"], page.count(address)))
    assert told[0] == told[1]
    assert [sent.to for sent in mail.outbox] == [[alice.email], ["nobody@new.example"]]
    assert "confirm-email" not in mail.outbox[0].body
    assert "confirm-email" in mail.outbox[1].body
    for user in (alice, bob):
        before = user.email
        user.refresh_from_db()
        assert user.email == before


def test_signing_up_takes_the_same_steps_whoever_has_the_address(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password takes a tenth of a second to hash, by which an account could be told."""
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=True)
    hasher = type(get_hasher())
    encode, hashed = hasher.encode, []

    def counted(self: Any, password: str, *args: Any, **options: Any) -> str:
        hashed.append(password)
        return str(encode(self, password, *args, **options))

    monkeypatch.setattr(hasher, "encode", counted)
    seen = []
    for address in (alice.email, "nobody@new.example"):
        hashed.clear()
        form = {**FORM, "email": address, "consent": "on"}
        answer = Client().post("/accounts/signup/", form)
        seen.append((answer.status_code, answer["Location"], list(hashed)))
    assert seen[0] == seen[1]


def test_changing_the_password_ends_other_sessions(alice: User, alice_client: Client) -> None:
    elsewhere = Client()
    elsewhere.force_login(alice)
    form = {
        "oldpassword": "alice-password",
        "password1": "another-good-7",
        "password2": "another-good-7",
    }
    alice_client.post("/accounts/password/change/", form)
    assert alice_client.get("/uploads/").status_code == 200
    assert elsewhere.get("/uploads/").status_code == 302
    assert AuditEvent.objects.filter(user=alice, action="password_changed").count() == 1


def test_a_forgotten_password_is_reset_by_mail(alice: User) -> None:
    client = Client()
    client.post("/accounts/password/reset/", {"email": alice.email})
    response = client.get(link_in(mail.outbox[0]))
    form = {"password1": "another-good-7", "password2": "another-good-7"}
    client.post(response["Location"], form)
    sign_in(client, alice.email, "another-good-7")
    assert is_signed_in(client)


@pytest.mark.django_db
def test_a_network_address_makes_so_many_accounts_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allauth_forms, "ACCOUNTS_RATE", "2/d")
    rates.forget()
    statuses = []
    for number in range(4):
        # Forms that are refused count for nothing.
        assert Client().post("/accounts/signup/", {"email": "no address"}).status_code == 200
        form = {"email": f"new-{number}@example.org", "consent": "on"}
        form |= {"password1": "a-good-password-7", "password2": "a-good-password-7"}
        statuses.append(Client().post("/accounts/signup/", form).status_code)
    assert statuses == [302, 302, 429, 429]
    assert User.objects.count() == 2
    rates.forget()
