"""Requests that come at the same time: one of them does it, and the others are told so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from accounts.models import AuditEvent, User
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
