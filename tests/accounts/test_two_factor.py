"""Two-factor sign-in, recovery codes and sessions."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import AuditEvent, User
from recognition.personal_data import account_deletion
from tests.support.signing_in import (
    SECRET,
    confirm_password,
    is_signed_in,
    sign_in,
    switch_on_two_factors,
    totp_code,
    wrong_code,
)


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


def test_staff_can_take_a_lost_factor_away_and_not_read_it(alice: User, db: None) -> None:
    switch_on_two_factors(alice)
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.org", "root-password"))
    listing = "/admin/mfa/authenticator/"
    assert alice.email in client.get(listing).content.decode()
    for factor in Authenticator.objects.all():
        page = client.get(f"{listing}{factor.pk}/change/").content.decode()
        assert alice.email in page
        assert not any(str(secret) in page for secret in factor.data.values() if secret)
        assert client.post(f"{listing}{factor.pk}/delete/", {"post": "yes"}).status_code == 302
    assert client.get(f"{listing}add/").status_code == 403
    signing_in = Client()
    sign_in(signing_in, alice.email, "alice-password")
    assert is_signed_in(signing_in)


def test_staff_sees_where_people_are_signed_in_and_ends_it(alice: User, db: None) -> None:
    signed_in = Client(REMOTE_ADDR="192.0.2.7")
    sign_in(signed_in, alice.email, "alice-password")
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.org", "root-password"))
    page = client.get("/admin/usersessions/usersession/?q=alice").content.decode()
    assert "192.0.2.7" in page
    session = UserSession.objects.get(user=alice)
    client.post(f"/admin/usersessions/usersession/{session.pk}/delete/", {"post": "yes"})
    assert signed_in.get("/uploads/").status_code == 302
    event = AuditEvent.objects.get(user=alice, action="session_ended_by_staff")
    assert str(event.actor) == "root@example.org"


def test_staff_can_delete_somebody_with_all_that_belongs_to_them(alice: User, db: None) -> None:
    switch_on_two_factors(alice)
    sign_in(Client(), alice.email, "alice-password")
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.org", "root-password"))
    client.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes"})
    assert not User.objects.get(pk=alice.pk).is_active
    assert account_deletion.delete(alice.pk)
    assert not User.objects.filter(pk=alice.pk).exists()


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
    trail = list(AuditEvent.objects.filter(user=alice).values_list("action", "actor"))
    assert trail.count(("signed_out_elsewhere", alice.pk)) == 1
    assert not AuditEvent.objects.filter(user=bob, action="signed_out_elsewhere").exists()
    here.post("/accounts/sessions/")  # Nobody is anywhere else.
    assert AuditEvent.objects.filter(action="signed_out_elsewhere").count() == 1
    assert "Signed out of all other sessions" in here.get("/accounts/activity/").content.decode()
