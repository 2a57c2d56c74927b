"""Nobody fills another's mailbox through this site."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import adapter, notices, tokens
from accounts.models import User
from operations import rates
from recognition.personal_data import export as data_export
from tests.support.signing_in import confirm_password

VICTIM = "victim@elsewhere.example"


@pytest.fixture(autouse=True)
def three_a_day(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(adapter, "ASKED_FOR_RATE", "3/d")
    rates.forget()
    yield
    rates.forget()


@pytest.mark.parametrize("email", ["alice@example.org", VICTIM])
def test_resets_have_a_daily_limit_for_each_address(alice: User, email: str) -> None:
    """Whether or not it has an account."""
    for number in range(5):
        form = {"email": email.upper() if number % 2 else email}
        assert Client().post("/accounts/password/reset/", form).status_code == 302
    assert [message.to for message in mail.outbox] == [[email]] * 3


@pytest.mark.django_db
def test_a_mailbox_has_one_limit_however_its_address_is_spelled() -> None:
    name, _, domain = VICTIM.partition("@")
    spellings = [name, f"{name}+1", f"{name}+2", "vic.tim", "Victim", f"{name}+a.b"]
    addresses = [f"{spelling}@{domain}" for spelling in spellings]
    addresses += [f"{name}@{domain.replace('e', 'ｅ', 1)}", f"{name}@{domain.replace('.', '。')}"]
    for address in addresses:
        Client().post("/accounts/password/reset/", {"email": address})
    assert len(mail.outbox) == 3
    Client().post("/accounts/password/reset/", {"email": f"other@{domain}"})
    assert len(mail.outbox) == 4


def test_so_have_changes_of_address(alice: User, alice_client: Client) -> None:
    confirm_password(alice_client, "alice-password")
    for number in range(5):
        for address in (VICTIM, f"another-{number}@elsewhere.example"):
            alice_client.post("/accounts/email/", {"email": address, "action_add": ""})
        cache.clear()  # As after the minutes for which a second mail is not sent at all.
    to_victim = [message for message in mail.outbox if message.to == [VICTIM]]
    assert len(to_victim) == 3


def test_what_tells_of_changes_is_always_sent(
    alice: User,
    alice_client: Client,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True
    for _ in range(4):
        Client().post("/accounts/password/reset/", {"email": alice.email})
    n_before = len(mail.outbox)
    form = {"password1": "another-good-7", "password2": "another-good-7"}
    form["oldpassword"] = "alice-password"
    with django_capture_on_commit_callbacks(execute=True):
        alice_client.post("/accounts/password/change/", form)
    assert [message.to for message in mail.outbox[n_before:]] == [[alice.email]]


@pytest.mark.parametrize("is_proven", [True, False])
def test_nobody_uses_up_the_notices_of_passwords_by_others(
    alice: User,
    alice_client: Client,
    settings: Settings,
    is_proven: bool,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=is_proven)
    with django_capture_on_commit_callbacks(execute=True):
        for number in range(15):
            token, _key = tokens.create(alice, f"token {number}", "read", 7)
            tokens.delete(token, alice)
        assert data_export.build(str(data_export.start(alice).pk))
    mail.outbox.clear()
    form = {
        "oldpassword": "alice-password", "password1": "another-good-7",
        "password2": "another-good-7",
    }  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        alice_client.post("/accounts/password/change/", form)
    (told,) = mail.outbox
    assert "Your password has been changed" in told.body


@pytest.mark.parametrize("what", ["passwords", "exports"])
@pytest.mark.parametrize("is_proven", [True, False])
def test_what_tells_of_changes_has_a_limit_for_who_has_shown_nothing(
    alice: User,
    alice_client: Client,
    settings: Settings,
    what: str,
    is_proven: bool,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """Whoever signed up with another's address changes what is theirs to and fro."""
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True
    monkeypatch.setattr(notices, "RATE_OF_UNPROVEN", "3/d")
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=is_proven)
    old, new = "alice-password", "another-good-7"
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(5):
            if what == "exports":
                export = data_export.start(alice)
                assert data_export.build(str(export.pk))
                continue
            form = {"oldpassword": old, "password1": new, "password2": new}
            alice_client.post("/accounts/password/change/", form)
            old, new = new, old
    assert len(mail.outbox) == (5 if is_proven else 3)
