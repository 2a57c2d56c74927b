"""A mail that is not taken: people are told, and nobody learns who has an account."""

from __future__ import annotations

from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests.support.studies import draft_study

SENTENCE = "The mail server did not take our e-mail"
FORM = {
    "email": "new@example.org",
    "password1": "a-good-password-7",
    "password2": "a-good-password-7",
    "consent": "on",
}


class Refusing(EmailBackend):
    """A mail server that knows no address."""

    def send_messages(self, messages: Any) -> int:
        raise SMTPRecipientsRefused({"somebody@example.org": (550, b"No such user")})


class Gone(EmailBackend):
    """A mail server that is not there."""

    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError


@pytest.fixture(params=[Refusing, Gone])
def backend(request: pytest.FixtureRequest, settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.{request.param.__name__}"


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.usefixtures("backend")
def test_a_new_password(alice: User, client: Client, settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True
    for email in (alice.email, "nobody@example.org"):
        answer = client.post("/accounts/password/reset/", {"email": email})
        assert answer.status_code == 503
        assert SENTENCE in answer.content.decode()
        assert "Your account" not in answer.content.decode()


@pytest.mark.usefixtures("backend")
def test_nobody_learns_who_has_an_account(
    alice: User, client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Where those without one get no mail, there is none that could be refused."""
    settings.ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
    answers = [
        client.post("/accounts/password/reset/", {"email": email})
        for email in (alice.email, "nobody@example.org")
    ]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert "could not be mailed" in caplog.text
    assert alice.email not in caplog.text


@pytest.mark.usefixtures("backend")
def test_signing_up(db: None, client: Client, settings: Settings) -> None:
    settings.SIGNUP, settings.ACCOUNT_EMAIL_VERIFICATION = "open", "mandatory"
    answer = client.post("/accounts/signup/", FORM)
    assert answer.status_code == 503
    assert SENTENCE in answer.content.decode()
    assert "Your account is there." in answer.content.decode()
    assert User.objects.filter(email="new@example.org").exists()
    # Who need not confirm their address gets none.
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    other = Client(raise_request_exception=False)
    answer = other.post("/accounts/signup/", {**FORM, "email": "other@example.org"})
    assert answer.status_code == 503
    assert "Your account is there." not in answer.content.decode()


@pytest.mark.usefixtures("backend")
def test_an_invitation_to_a_study(alice: User, client: Client) -> None:
    study = draft_study(alice)
    client.force_login(alice)
    answer = client.post(
        f"/studies/{study.pk}/team/", {"email": "colleague@example.org", "role": "viewer"}
    )
    assert answer.status_code == 503
    assert SENTENCE in answer.content.decode()


@pytest.mark.usefixtures("backend")
def test_an_invitation_by_the_command(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="Not everybody was invited"):
        call_command("invite", "one@example.org", "two@example.org")
    refused = capsys.readouterr().err
    assert refused.count("could not be mailed") == 2
    assert not User.objects.filter(email="one@example.org").exists()
