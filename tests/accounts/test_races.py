"""Requests that come at the same time: one of them does it, and the others are told so."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.mfa.models import Authenticator
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core import mail
from django.core.handlers.exception import response_for_exception
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts import access, tokens
from accounts.allauth_forms import ChangePasswordForm
from accounts.models import ApiToken, AuditEvent, User
from tests.support.signing_in import confirm_password, is_signed_in, link_in, sign_in, totp_code

FIRST, SECOND = "the-first-of-them-7", "the-second-of-them-7"


def once(action: Callable[[], Any], then: Callable[..., Any]) -> Callable[..., Any]:
    """What does `action` when it is called for the first time, and then as `then` does."""
    left = [action]

    def both(*arguments: Any, **options: Any) -> Any:
        if left:
            left.pop()()
        return then(*arguments, **options)

    return both


def test_a_link_sets_one_password(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second request finds the link good, and then the first one uses it."""
    Client().post("/accounts/password/reset/", {"email": alice.email})
    link = link_in(mail.outbox[0])
    first, second = Client(), Client()
    pages = {client: client.get(link)["Location"] for client in (first, second)}

    def use() -> None:
        form = {"password1": FIRST, "password2": FIRST}
        assert first.post(pages[first], form).status_code == 302

    adapter = type(get_adapter())
    monkeypatch.setattr(adapter, "clean_password", once(use, adapter.clean_password))
    form = {"password1": SECOND, "password2": SECOND}
    answer = second.post(pages[second], form, follow=True)
    assert answer.status_code == 200
    assert "password1" not in answer.text
    assert answer.context["token_fail"]
    for password, expected in ((SECOND, False), (FIRST, True)):
        client = Client()
        sign_in(client, alice.email, password)
        assert is_signed_in(client) is expected
    assert AuditEvent.objects.filter(action="password_changed").count() == 1


def test_one_app_is_set_up_for_codes(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm_password(alice_client, "alice-password")
    secret = alice_client.get("/accounts/2fa/totp/activate/").context["form"].secret
    form = {"code": totp_code(secret)}

    def activate() -> None:
        other = Client()
        other.cookies = alice_client.cookies
        assert other.post("/accounts/2fa/totp/activate/", form).status_code == 302

    from allauth.mfa.totp.internal import auth

    monkeypatch.setattr(auth, "validate_totp_code", once(activate, auth.validate_totp_code))
    answer = alice_client.post("/accounts/2fa/totp/activate/", form, follow=True)
    assert answer.status_code == 200
    factors = Authenticator.objects.filter(user=alice).values_list("type", flat=True)
    assert sorted(factors) == ["recovery_codes", "totp"]


@pytest.mark.parametrize(
    ("path", "form", "function"),
    [
        ("/accounts/profile/", {"first_name": "A"}, "accounts.forms.ProfileForm.save"),
        (
            "/accounts/password/change/",
            {"oldpassword": "alice-password", "password1": FIRST, "password2": FIRST},
            "accounts.allauth_forms.ChangePasswordForm.save",
        ),
    ],
)
def test_what_staff_do_meanwhile_stays(
    path: str,
    form: dict[str, str],
    function: str,
    alice: User,
    alice_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A request that has read the person before they were disabled does not enable them again."""
    module, name, method = function.rsplit(".", 2)
    kind = getattr(__import__(module, fromlist=[name]), name)

    def disable() -> None:
        User.objects.filter(pk=alice.pk).update(is_active=False, quota_uploads_a_day=0)

    monkeypatch.setattr(kind, method, once(disable, getattr(kind, method)))
    alice_client.post(path, form)
    alice.refresh_from_db()
    assert (alice.is_active, alice.quota_uploads_a_day) == (False, 0)


def test_a_password_is_not_changed_once_somebody_else_has_the_account_back(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever knows the old password sends such changes all the time; one is on its way."""
    attacker = Client()
    sign_in(attacker, alice.email, "alice-password")
    Client().post("/accounts/password/reset/", {"email": alice.email})
    link = link_in(mail.outbox[0])

    def reset() -> None:
        owner = Client()
        form = {"password1": FIRST, "password2": FIRST}
        assert owner.post(owner.get(link)["Location"], form).status_code == 302

    save = ChangePasswordForm.save
    monkeypatch.setattr(ChangePasswordForm, "save", once(reset, save))
    form = {"oldpassword": "alice-password", "password1": SECOND, "password2": SECOND}
    assert attacker.post("/accounts/password/change/", form).status_code == 403
    alice.refresh_from_db()
    assert alice.check_password(FIRST)


def test_a_person_is_saved_as_others_are(alice: User) -> None:
    alice.first_name = "Alice"
    alice.save()
    alice.first_name = "Alicia"
    User.objects.filter(pk=alice.pk).update(last_name="Liddell")
    alice.save()
    assert User.objects.values_list("first_name", "last_name").get(pk=alice.pk) == (
        "Alicia",
        "Liddell",
    )
    named = User.objects.only("email").get(pk=alice.pk)
    named.last_name = "Pleasance"
    named.save()
    alice.refresh_from_db()
    assert alice.get_full_name() == "Alicia Pleasance"


@pytest.mark.django_db(transaction=True)
def test_one_of_two_signs_up_with_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    email = "race@example.org"
    form = {"email": email, "password1": FIRST, "password2": FIRST, "consent": "on"}

    def sign_up() -> None:
        assert Client().post("/accounts/signup/", form).status_code == 302

    adapter = type(get_adapter())
    monkeypatch.setattr(adapter, "clean_password", once(sign_up, adapter.clean_password))
    second = Client()
    answer = second.post("/accounts/signup/", {**form, "password1": SECOND, "password2": SECOND})
    assert answer["Location"] == "/accounts/login/"
    assert not is_signed_in(second)
    assert User.objects.get().check_password(FIRST)


def test_one_of_two_tokens_has_a_name(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm_password(alice_client, "alice-password")
    form = {"name": "laptop", "scope": "read", "days": "7"}

    def make() -> None:
        assert "visage_" in alice_client.post("/accounts/tokens/new/", form).text

    monkeypatch.setattr(tokens, "create", once(make, tokens.create))
    answer = alice_client.post("/accounts/tokens/new/", form)
    assert "You already have a token with this name." in answer.text
    assert ApiToken.objects.count() == 1


def confirm(pending: EmailAddress) -> str:
    """As whoever opens the link that was sent to an address, and agrees; returns the next page."""
    path = reverse("account_confirm_email", args=[EmailConfirmationHMAC.create(pending).key])
    answer = Client().post(path, follow=True)
    assert answer.status_code == 200
    return str(answer.text)


def test_nobody_keeps_others_from_signing_up(alice: User) -> None:
    """By wanting to change to their address, which is not confirmed."""
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=True)
    pending = EmailAddress.objects.create(user=alice, email="new@example.org")
    form = {"email": "new@example.org", "password1": FIRST, "password2": FIRST, "consent": "on"}
    assert Client().post("/accounts/signup/", form).status_code == 302
    # Nor does the one who wanted it get into the way of the other afterwards.
    assert "Unable to confirm" in confirm(pending)
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
    assert not EmailAddress.objects.filter(email="new@example.org", verified=True).exists()


def test_an_address_is_confirmed_before_access_ends_or_not_at_all(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=True)
    pending = EmailAddress.objects.create(user=alice, email="attacker@attacker.example")
    adapter = type(get_adapter())

    def end() -> None:
        access.end(User.objects.get(pk=alice.pk), None)

    monkeypatch.setattr(adapter, "confirm_email", once(end, adapter.confirm_email))
    assert "Unable to confirm" in confirm(pending)
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
    assert [address.email for address in EmailAddress.objects.all()] == [alice.email]


def test_an_address_is_one_account_however_it_is_spelt(root: User) -> None:
    client = Client()
    client.force_login(root)
    form = {"email": "ROOT@example.org", "usable_password": "true"}
    client.post("/admin/accounts/user/add/", {**form, "password1": FIRST, "password2": FIRST})
    assert list(User.objects.all()) == [root]
    client.post(
        "/admin/accounts/user/add/",
        {**form, "email": "Carol@Example.org", "password1": FIRST, "password2": FIRST},
    )
    assert User.objects.exclude(pk=root.pk).get().email == "carol@example.org"


def test_a_session_that_ends_meanwhile_is_one_line_of_the_log() -> None:
    """Whoever does that again and again must not fill the log: no code of ours has failed."""
    console = next(h for h in logging.getLogger().handlers if h.name == "console")
    assert isinstance(console, logging.StreamHandler)
    earlier = console.setStream(io.StringIO())
    try:
        raise SessionInterrupted("The session was deleted.")
    except SessionInterrupted as interrupted:
        answer = response_for_exception(RequestFactory().get("/accounts/profile/"), interrupted)
        written = console.stream.getvalue()
    finally:
        console.setStream(earlier)
    assert answer.status_code == 400
    assert "The session was deleted." in written
    assert "Traceback" not in written
