"""Who gets an account back gets it alone; and people are told of every change to the ways in."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import access, tokens
from accounts.allauth_forms import AddEmailForm
from accounts.models import ApiToken, AuditEvent, User
from operations import rates
from recognition.models import Webhook
from tests.support.factories import allow
from tests.support.signing_in import (
    SECRET,
    confirm_password,
    is_signed_in,
    link_in,
    sign_in,
    switch_on_two_factors,
    totp_code,
)

NEW = "another-good-password-7"
FORM = {"password1": NEW, "password2": NEW}


@pytest.fixture
def mails(settings: Settings, django_capture_on_commit_callbacks: Any) -> Any:
    """The mails that a block of code leads to, as (address, text)."""
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True
    rates.forget()

    def sent(action: Callable[[], Any]) -> list[tuple[str, str]]:
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            action()
        return [(message.to[0], str(message.body)) for message in mail.outbox]

    return sent


def settle_in(user: User, client: Client) -> str:
    """What somebody leaves behind who wants to keep an account; returns the key of a token."""
    _token, key = tokens.create(user, "spare key", "write", None)
    Webhook.objects.create(owner=user, url="https://attacker.example/hook", secret="s")
    EmailAddress.objects.create(user=user, email="attacker@attacker.example")
    switch_on_two_factors(user)
    assert is_signed_in(client)
    return key


def reset(email: str, **choice: str) -> Client:
    """As somebody does who opens the link in the mail."""
    mail.outbox.clear()
    client = Client()
    client.post("/accounts/password/reset/", {"email": email})
    page = client.get(link_in(mail.outbox[0]))
    assert client.post(page["Location"], {**FORM, **choice}).status_code == 302
    return client


def opens_api(key: str) -> bool:
    headers = {"Authorization": f"Bearer {key}"}
    return bool(Client(headers=headers).get("/api/v1/me/").status_code == 200)


@pytest.mark.django_db
def test_an_account_in_anothers_name_is_theirs_alone_once_they_reset_it() -> None:
    attacker = Client()
    form = {"email": "victim@example.org", "password1": "of-the-attacker-7", "consent": "on"}
    attacker.post("/accounts/signup/", {**form, "password2": form["password1"]})
    user = User.objects.get()
    key = settle_in(user, attacker)
    assert opens_api(key)
    pending = EmailAddress.objects.get(email="attacker@attacker.example")
    link = confirmation_link(pending)

    victim = reset("victim@example.org")

    assert not opens_api(key)
    assert not ApiToken.objects.exists()
    assert not Webhook.objects.exists()
    assert not Authenticator.objects.exists()
    assert not UserSession.objects.exists()
    assert attacker.get("/uploads/").status_code == 302
    attacker.post(link)
    user.refresh_from_db()
    assert user.email == "victim@example.org"
    sign_in(victim, "victim@example.org", NEW)
    assert is_signed_in(victim)
    assert AuditEvent.objects.filter(user=user, action="access_ended").count() == 1
    assert EmailAddress.objects.get().verified


def confirmation_link(address: EmailAddress) -> str:
    from allauth.account.models import EmailConfirmationHMAC
    from django.urls import reverse

    return reverse("account_confirm_email", args=[EmailConfirmationHMAC.create(address).key])


def test_the_reset_of_an_address_that_is_ones_own_leaves_what_one_wants(alice: User) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=True)
    client = Client()
    client.force_login(alice)
    key = settle_in(alice, client)
    reset(alice.email)
    assert opens_api(key)
    assert Webhook.objects.exists()
    assert Authenticator.objects.count() == 2
    assert not EmailAddress.objects.filter(verified=False).exists()
    assert client.get("/uploads/").status_code == 302

    reset(alice.email, end_access="on")
    assert not opens_api(key)
    assert not Webhook.objects.exists()
    # Else whoever reads the mail would need no second factor.
    assert Authenticator.objects.count() == 2


def test_a_change_of_the_password_ends_all_else_if_one_wants(alice: User) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        sign_in(client, alice.email, "alice-password")
    key = settle_in(alice, here)
    form = {"oldpassword": "alice-password", **FORM}
    here.post("/accounts/password/change/", form)
    assert opens_api(key)
    form = {"oldpassword": NEW, "password1": "a-third-one-7", "password2": "a-third-one-7"}
    here.post("/accounts/password/change/", {**form, "end_access": "on"})
    assert not opens_api(key)
    assert not Webhook.objects.exists()
    assert not Authenticator.objects.exists()
    assert here.get("/uploads/").status_code == 200
    assert there.get("/uploads/").status_code == 302
    page = here.get("/accounts/password/change/").content.decode()
    assert 'name="end_access"' in page


def test_a_link_goes_to_the_accounts_own_address_alone(alice: User) -> None:
    """Whoever wants to change to another's address has no account that its owner could get."""
    EmailAddress.objects.create(user=alice, email="victim@example.org")
    Client().post("/accounts/password/reset/", {"email": "victim@example.org"})
    assert not any("/password/reset/key/" in str(message.body) for message in mail.outbox)


def test_staff_end_all_access(alice: User, charlie: User) -> None:
    client, staff = Client(), Client()
    sign_in(client, alice.email, "alice-password")
    key = settle_in(alice, client)
    staff.force_login(charlie)
    allow(charlie, "accounts.view_user", "accounts.change_user")
    form = {"action": "end_access", "_selected_action": [alice.pk]}
    staff.post("/admin/accounts/user/", form)
    assert not opens_api(key)
    assert not Webhook.objects.exists()
    assert client.get("/uploads/").status_code == 302
    assert AuditEvent.objects.get(action="access_ended").actor == charlie


def test_second_factors_wait_for_the_address_where_it_can_be_verified(
    alice: User, alice_client: Client, settings: Settings
) -> None:
    settings.MFA_ALLOW_UNVERIFIED_EMAIL = False
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True)
    confirm_password(alice_client, "alice-password")
    page = alice_client.get("/accounts/2fa/totp/activate/", follow=True)
    secret = page.context["form"].secret if page.context.get("form") else SECRET
    alice_client.post("/accounts/2fa/totp/activate/", {"code": totp_code(secret)})
    assert not Authenticator.objects.exists()


@pytest.mark.django_db
def test_whoever_has_no_row_of_their_address_waits_as_well(
    alice: User, alice_client: Client, settings: Settings
) -> None:
    settings.MFA_ALLOW_UNVERIFIED_EMAIL = False
    confirm_password(alice_client, "alice-password")
    alice_client.post("/accounts/2fa/totp/activate/", {"code": totp_code(SECRET)})
    assert not Authenticator.objects.exists()
    assert alice_client.get("/accounts/2fa/totp/activate/")["Location"] == "/accounts/2fa/"


@pytest.mark.django_db
def test_second_factors_of_operators_stay_where_their_password_is_reset() -> None:
    root = User.objects.create_superuser("root@example.org", "root-password")
    operator = Client()
    operator.force_login(root)
    form = {"email": "new@example.org", "usable_password": "true", **FORM}
    operator.post("/admin/accounts/user/add/", form)
    made = User.objects.get(email="new@example.org")
    for user in (root, made):
        switch_on_two_factors(user)
        person = f"/admin/accounts/user/{user.pk}/change/"
        change = {"email": f"changed-{user.email}", "is_active": "on"}
        change |= {"is_superuser": "on", "is_staff": "on"} if user == root else {}
        assert operator.post(person, change).status_code == 302
        user.refresh_from_db()
        reset(user.email, end_access="on")
        assert Authenticator.objects.filter(user=user).exists()


# What is mailed ---------------------------------------------------------------------------------


def test_each_change_of_a_way_in_is_mailed(
    alice: User, alice_client: Client, mails: Any, settings: Settings
) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True, verified=True)
    confirm_password(alice_client, "alice-password")

    def post(path: str, **form: str) -> Callable[[], Any]:
        return lambda: alice_client.post(path, form)

    found = mails(post("/accounts/tokens/new/", name="laptop", scope="read", days="7"))
    assert [address for address, _ in found] == [alice.email]
    assert "An API token was created" in found[0][1]
    assert f"{settings.SITE_URL}/accounts/password/change/" in found[0][1]
    token = ApiToken.objects.get()
    (deleted,) = mails(post(f"/accounts/tokens/{token.pk}/delete/"))
    assert "An API token was deleted" in deleted[1]

    secret = alice_client.get("/accounts/2fa/totp/activate/").context["form"].secret
    found = mails(post("/accounts/2fa/totp/activate/", code=totp_code(secret)))
    assert found
    assert {address for address, _ in found} == {alice.email}
    assert mails(post("/accounts/2fa/recovery-codes/generate/"))
    assert mails(post("/accounts/2fa/totp/deactivate/"))
    change = {"oldpassword": "alice-password", **FORM}
    (changed,) = mails(post("/accounts/password/change/", **change))
    assert "Your password has been changed" in changed[1]


def test_what_staff_change_is_written_down_and_mailed(alice: User, root: User, mails: Any) -> None:
    staff = Client()
    staff.force_login(root)
    switch_on_two_factors(alice)
    factor = Authenticator.objects.first()
    assert factor is not None
    group, permission = Group.objects.create(name="Helpers"), Permission.objects.all()[0]
    alice.groups.add(group)
    webhook = Webhook.objects.create(owner=alice, url="https://alice.example/", secret="whsec_x")
    person, group_page = f"/admin/accounts/user/{alice.pk}", f"/admin/auth/group/{group.pk}/change/"
    form = {
        "email": alice.email, "is_active": "on", "first_name": "", "last_name": "",
        "groups": [group.pk],
    }  # fmt: skip
    group_form = {**form, "is_staff": "on"}
    new_address = {**group_form, "email": "alice@new.example"}
    selected = {"_selected_action": [alice.pk]}
    steps: list[tuple[str, dict[str, Any], str]] = [
        (f"/admin/mfa/authenticator/{factor.pk}/delete/", {"post": "yes"},
         "two_factor_removed_by_staff"),
        (f"{person}/password/", {**FORM, "usable_password": "true"}, "password_set_by_staff"),
        ("/admin/accounts/user/", {"action": "disable", **selected}, "account_disabled"),
        ("/admin/accounts/user/", {"action": "enable", **selected}, "account_enabled"),
        (f"{person}/change/", {**form, "is_active": ""}, "account_disabled"),
        (f"{person}/change/", form, "account_enabled"),
        (f"{person}/change/", group_form, "rights_changed"),
        (f"{person}/change/", new_address, "email_changed_by_staff"),
        (group_page, {"name": "Helpers", "permissions": [permission.pk]}, "rights_changed"),
        (f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"}, "rights_changed"),
        ("/admin/recognition/webhook/", {"action": "switch_off", "_selected_action": [webhook.pk]},
         "webhook_turned_off_by_staff"),
        (f"{person}/delete/", {"post": "yes"}, "account_deletion_requested"),
    ]  # fmt: skip
    for path, fields, action in steps:
        events = AuditEvent.objects.filter(user=alice, action=action, actor=root)
        before = events.count()
        found = mails(lambda path=path, fields=fields: staff.post(path, fields))
        assert events.count() == before + 1, action
        assert {address for address, _ in found} & {alice.email, "alice@new.example"}, action
        assert found, action
    assert not EmailAddress.objects.filter(user=alice, verified=True).exists()


def test_nobody_fills_anothers_mailbox(alice: User, mails: Any) -> None:
    def churn() -> None:
        for number in range(30):
            token, _key = tokens.create(alice, f"token {number}", "read", 7)
            tokens.delete(token, alice)

    assert len(mails(churn)) == 20


def test_a_mail_server_that_is_gone_stops_no_change(
    alice: User, mails: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_arguments: Any) -> None:
        raise smtplib.SMTPServerDisconnected

    monkeypatch.setattr(EmailMessage, "send", gone)
    assert mails(lambda: access.end(alice, alice)) == []
    assert AuditEvent.objects.filter(action="access_ended").exists()
    # Nor those that allauth tells of.
    client = Client()
    sign_in(client, alice.email, "alice-password")
    form = {"oldpassword": "alice-password", **FORM}
    assert mails(lambda: client.post("/accounts/password/change/", form)) == []
    assert User.objects.get(pk=alice.pk).check_password(NEW)


def test_nothing_is_mailed_where_no_mail_is_set_up(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tokens.create(alice, "laptop", "read", 7)
    assert not mail.outbox


@pytest.mark.django_db
def test_what_is_on_its_way_while_access_ends_leaves_nothing_behind(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request was let in before, and comes to its end after."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    _token, key = tokens.create(alice, "of the attacker", "write", None)
    client = Client()
    sign_in(client, "alice@example.org", "alice-password")
    program = Client(headers={"Authorization": f"Bearer {key}"})

    def end_meanwhile(*args: Any) -> None:
        access.end(User.objects.get(pk=alice.pk), None)

    # The last that is done before each of them writes.
    with monkeypatch.context() as late:
        late.setattr("recognition.webhooks.sending.check_address", end_meanwhile)
        hook = {"url": "http://127.0.0.1:9/"}
        answer = program.post("/api/v1/webhooks/", hook, content_type="application/json")
        assert answer.status_code == 403
    assert not Webhook.objects.exists()
    before = User.objects.get(pk=alice.pk)
    end_meanwhile()
    with pytest.raises(PermissionDenied):
        tokens.create(before, "another", "write", None)
    assert not ApiToken.objects.exists()
    form = AddEmailForm(before, {"email": "attacker@attacker.example"})
    assert form.is_valid()
    with pytest.raises(PermissionDenied):
        form.save(None)
    assert not EmailAddress.objects.filter(email="attacker@attacker.example").exists()
    factor = Authenticator.objects.create(user=before, type="totp", data={})
    with pytest.raises(PermissionDenied):
        authenticator_added.send(Authenticator, request=None, user=before, authenticator=factor)
    assert not Authenticator.objects.exists()
    # Who comes back makes them anew.
    tokens.create(User.objects.get(pk=alice.pk), "mine", "write", None)
