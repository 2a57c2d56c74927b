"""People with quotas and usage, and what belongs to their accounts."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, AuditEvent, Consent, User
from recognition import quotas
from recognition.models import DataExport, LiveUsage, Recording, Upload, Webhook, WebhookDelivery
from recognition.personal_data import account_deletion
from recognition.personal_data.tasks import delete_account
from recognition.webhooks import deliveries
from tests.support.factories import add_face, make_upload

USERS = "/admin/accounts/user/"


def act(client: Client, action: str, *people: User) -> str:
    form = {"action": action, "_selected_action": [person.pk for person in people]}
    return client.post(USERS, form, follow=True).content.decode()


def test_the_list_shows_usage(root_client: Client, alice: User, alice_upload: Upload) -> None:
    LiveUsage.objects.create(owner=alice, day=timezone.now().date(), seconds=65)
    User.objects.filter(pk=alice.pk).update(quota_uploads_a_day=5, quota_bytes=2048)
    now = timezone.now()
    Recording.objects.create(owner=alice, started_at=now, ended_at=now, stored_bytes=700)
    row = next(user for user in root_client.get(USERS).context["cl"].result_list if user == alice)
    assert row.n_uploads == 1
    assert row.n_bytes == alice_upload.stored_bytes + 700
    assert row.n_bytes == quotas.stored_bytes(alice).used
    assert row.live_seconds == 65
    page = root_client.get(USERS).content.decode()
    assert "5 uploads per day, 2.0" in page
    assert "1:05" in page


def test_quotas_are_set_and_taken_back(root_client: Client, alice: User) -> None:
    form = {
        "email": alice.email, "is_active": "on",
        "quota_uploads_a_day": "10", "quota_bytes": "1000000", "quota_live_minutes_a_day": "0",
    }  # fmt: skip
    path = f"{USERS}{alice.pk}/change/"
    assert root_client.post(path, form).status_code == 302
    alice.refresh_from_db()
    assert alice.quota_uploads_a_day == 10
    assert alice.quota_bytes == 1_000_000
    assert alice.quota_live_minutes_a_day == 0
    form |= {"quota_uploads_a_day": "", "quota_bytes": "", "quota_live_minutes_a_day": ""}
    assert root_client.post(path, form).status_code == 302
    alice.refresh_from_db()
    assert alice.quota_uploads_a_day is None
    assert alice.quota_live_minutes_a_day is None
    form |= {"quota_bytes": "-1"}
    assert root_client.post(path, form).status_code == 200


def test_a_persons_page_says_which_quotas_are_in_force(
    root_client: Client, alice: User, settings: Any
) -> None:
    settings.QUOTA_UPLOADS_A_DAY, settings.QUOTA_BYTES = 50, 2048
    User.objects.filter(pk=alice.pk).update(quota_bytes=4096)
    page = root_client.get(f"{USERS}{alice.pk}/change/").text
    assert "<div>uploads per day: 50, the site&#x27;s default</div>" in page
    assert "<div>storage: 4.0\xa0KB</div>" in page
    assert "<div>live minutes per day: no limit</div>" in page


def test_a_person_is_added(root_client: Client) -> None:
    assert root_client.get(f"{USERS}add/").status_code == 200
    form = {
        "email": "New@example.org", "usable_password": "true",
        "password1": "a-good-password-7", "password2": "a-good-password-7",
    }  # fmt: skip
    assert root_client.post(f"{USERS}add/", form).status_code == 302
    assert User.objects.filter(email__iexact="new@example.org").exists()


def test_a_disabled_person_is_out_at_once_and_can_come_back(
    root_client: Client, alice: User, alice_client: Client
) -> None:
    assert alice_client.get("/uploads/").status_code == 200
    assert "1 person disabled." in act(root_client, "disable", alice)
    assert alice_client.get("/uploads/").status_code == 302
    assert "1 person enabled." in act(root_client, "enable", alice)
    assert alice_client.get("/uploads/").status_code == 200


def test_nobody_disables_themselves(root_client: Client, root: User) -> None:
    assert "You cannot disable yourself." in act(root_client, "disable", root)
    root.refresh_from_db()
    assert root.is_active


@pytest.mark.parametrize("is_active", [True, False])
def test_a_deleted_person_is_out_at_once_and_gone_with_everything_soon_after(
    is_active: bool,
    root_client: Client,
    root: User,
    alice: User,
    alice_client: Client,
    alice_upload: Upload,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    queued: list[int] = []
    monkeypatch.setattr(
        delete_account, "apply_async", lambda arguments, **options: queued.append(arguments[0])
    )
    User.objects.filter(pk=alice.pk).update(is_active=is_active)
    page = root_client.get(f"{USERS}{alice.pk}/delete/").content.decode()
    assert "Are you sure" in page
    with django_capture_on_commit_callbacks(execute=True):
        root_client.post(f"{USERS}{alice.pk}/delete/", {"post": "yes"})
    assert queued == [alice.pk]
    assert alice_client.get("/uploads/").status_code == 302
    event = AuditEvent.objects.get(action="account_deletion_requested")
    assert (event.user, event.actor) == (alice, root)
    act(root_client, "enable", alice)
    assert not User.objects.get(pk=alice.pk).is_active, "what is being deleted is not opened again"

    with django_capture_on_commit_callbacks(execute=True):
        account_deletion.delete(alice.pk)
    assert not User.objects.filter(pk=alice.pk).exists()
    assert not Upload.objects.exists()
    assert not default_storage.exists(alice_upload.image.name)
    assert not LogEntry.objects.filter(object_repr__contains="alice").exists()


def test_several_people_are_deleted_at_once(
    root_client: Client,
    alice: User,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    queued: list[int] = []
    monkeypatch.setattr(
        delete_account, "apply_async", lambda arguments, **options: queued.append(arguments[0])
    )
    form = {
        "action": "delete_selected", "_selected_action": [alice.pk, bob.pk], "post": "yes",
    }  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        root_client.post(USERS, form)
    assert sorted(queued) == [alice.pk, bob.pk]
    assert User.objects.filter(is_active=False).count() == 2


def test_a_token_is_revoked_and_its_owner_can_read_it(
    root_client: Client, root: User, alice: User
) -> None:
    token = ApiToken.objects.create(user=alice, name="laptop", prefix="vis_ab", key_sha256="f" * 64)
    form = {"action": "revoke", "_selected_action": [token.pk]}
    page = root_client.post("/admin/accounts/apitoken/", form, follow=True).content.decode()
    assert "1 token revoked." in page
    assert not ApiToken.objects.exists()
    event = AuditEvent.objects.get(action="token_deleted")
    assert (event.user, event.actor) == (alice, root)


def test_a_webhook_is_switched_off(root_client: Client, alice: User) -> None:
    webhook = Webhook.objects.create(owner=alice, url="https://example.org/x", secret="s")
    form = {"action": "switch_off", "_selected_action": [str(webhook.pk)]}
    root_client.post("/admin/recognition/webhook/", form)
    webhook.refresh_from_db()
    assert not webhook.is_active


def test_what_waits_for_a_webhook_that_is_switched_off_is_not_sent(
    root_client: Client, alice: User
) -> None:
    webhook = Webhook.objects.create(owner=alice, url="https://example.org/x", secret="s")
    delivery = deliveries.record_ping(webhook)
    form = {"action": "switch_off", "_selected_action": [str(webhook.pk)]}
    # Whatever the language of who does it: the owner reads it in their own.
    root_client.cookies["django_language"] = "de"
    root_client.post("/admin/recognition/webhook/", form)
    assert not WebhookDelivery.objects.due().exists()
    delivery.refresh_from_db()
    assert delivery.state == "given_up"
    assert delivery.error == "The webhook was turned off."


def permit(person: User, *codenames: str) -> None:
    person.user_permissions.add(*Permission.objects.filter(codename__in=codenames))


def test_staff_cannot_take_over_an_account_by_its_address(
    charlie: User, charlie_client: Client, alice: User
) -> None:
    """Whoever receives its mail can set a new password."""
    permit(charlie, "view_user", "change_user")
    permit(charlie, "view_emailaddress", "add_emailaddress", "change_emailaddress")
    form = {"email": "charlie@example.org.evil", "is_active": "on", "first_name": "A."}
    response = charlie_client.post(f"{USERS}{alice.pk}/change/", form)
    assert response.status_code == 302
    alice.refresh_from_db()
    assert (alice.email, alice.first_name) == ("alice@example.org", "A.")
    form = {"user": alice.pk, "email": "charlie@example.org.evil", "verified": "on"}
    response = charlie_client.post("/admin/account/emailaddress/add/", form)
    assert response.status_code == 403
    address = EmailAddress.objects.create(user=alice, email="charlie@example.org.evil")
    form = {"action": "make_verified", "_selected_action": [address.pk]}
    charlie_client.post("/admin/account/emailaddress/", form)
    assert not EmailAddress.objects.get().verified


def test_a_form_from_before_undoes_nothing(root_client: Client, alice: User) -> None:
    """Another operator has disabled her, or she has another address, since it was opened."""
    page = f"{USERS}{alice.pk}/change/"
    seen = root_client.get(page).context["adminform"].form["seen"].value()
    form = {"email": alice.email, "is_active": "on", "quota_bytes": "7", "seen": seen}
    User.objects.filter(pk=alice.pk).update(is_active=False, email="alice@new.example")
    answer = root_client.post(page, form)
    assert "Somebody has changed this since" in answer.content.decode()
    alice.refresh_from_db()
    assert (alice.is_active, alice.email, alice.quota_bytes) == (False, "alice@new.example", None)
    form["seen"] = root_client.get(page).context["adminform"].form["seen"].value()
    assert root_client.post(page, form).status_code == 302
    alice.refresh_from_db()
    assert (alice.is_active, alice.quota_bytes) == (True, 7)


def test_a_form_of_a_group_gives_no_right_back(root_client: Client) -> None:
    group, permission = Group.objects.create(name="Helpers"), Permission.objects.all()[0]
    group.permissions.add(permission)
    page = f"/admin/auth/group/{group.pk}/change/"
    seen = root_client.get(page).context["adminform"].form["seen"].value()
    group.permissions.clear()
    form = {"name": "Assistants", "permissions": [permission.pk], "seen": seen}
    assert "Somebody has changed this since" in root_client.post(page, form).content.decode()
    assert not group.permissions.exists()


@pytest.mark.parametrize("by", ["page", "action"])
def test_deleting_shows_nothing_of_what_goes_along(
    charlie: User, charlie_client: Client, alice: User, by: str
) -> None:
    """Which staff without the permissions for it see nowhere."""
    permit(charlie, "view_upload", "delete_upload", "view_user", "change_user", "delete_user")
    add_face(make_upload(alice), "happy")
    for path, pk in (
        ("/admin/accounts/user/", alice.pk),
        ("/admin/recognition/upload/", Upload.objects.get().pk),
    ):
        if by == "page":
            answer = charlie_client.get(f"{path}{pk}/delete/")
        else:
            form = {"action": "delete_selected", "_selected_action": [pk]}
            answer = charlie_client.post(path, form)
        assert answer.status_code == 200
        assert "Are you sure" in answer.content.decode()
        assert "happy" not in answer.content.decode()


def test_superusers_confirm_and_take_away_no_address_unseen(
    root_client: Client, alice: User
) -> None:
    """Without a confirmed one, whoever reads its mail gets the account without second factors."""
    address = EmailAddress.objects.create(user=alice, email=alice.email, verified=True)
    path = "/admin/account/emailaddress/"
    form = {"user": alice.pk, "email": "another@example.org", "verified": "on"}
    assert root_client.get(path).status_code == 200
    assert root_client.post(f"{path}add/", form).status_code == 403
    assert root_client.post(f"{path}{address.pk}/change/", form).status_code == 403
    assert root_client.post(f"{path}{address.pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [address.pk], "post": "yes"}
    root_client.post(path, chosen)
    assert EmailAddress.objects.get().email == alice.email


def test_staff_cannot_take_a_second_factor_from_superusers(
    charlie: User, charlie_client: Client, root: User, alice: User
) -> None:
    permit(charlie, "view_authenticator", "delete_authenticator")
    for person in (root, alice):
        Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    everything = [authenticator.pk for authenticator in Authenticator.objects.all()]
    form = {"action": "delete_selected", "_selected_action": everything, "post": "yes"}
    charlie_client.post("/admin/mfa/authenticator/", form)
    for pk in everything:
        charlie_client.post(f"/admin/mfa/authenticator/{pk}/delete/", {"post": "yes"})
    assert [found.user for found in Authenticator.objects.all()] == [root]


@pytest.mark.parametrize(
    "path",
    [
        "accounts/apitoken/", "accounts/auditevent/", "accounts/consent/",
        "recognition/dataexport/", "recognition/recording/", "recognition/liveusage/",
        "recognition/webhook/", "recognition/webhookdelivery/", "recognition/modelcomparison/",
        "recognition/modelchoice/", "account/emailaddress/", "auth/group/", "mfa/authenticator/",
        "usersessions/usersession/",
    ],
)  # fmt: skip
def test_lists_are_shown_searched_and_ask_the_database_no_more_for_more_rows(
    path: str, root_client: Client, django_assert_max_num_queries: Any
) -> None:
    now = timezone.now()
    for number in range(15):
        person = User.objects.create_user(f"{number}@example.org", "password")
        ApiToken.objects.create(user=person, name="a", prefix="a", key_sha256=f"{number:064d}")
        AuditEvent.objects.create(user=person, actor=person, action="signed_in")
        Consent.objects.create(user=person, purpose="account", version="1")
        DataExport.objects.create(owner=person)
        Recording.objects.create(owner=person, started_at=now, ended_at=now)
        LiveUsage.objects.create(owner=person, day=now.date(), seconds=1)
        webhook = Webhook.objects.create(owner=person, url="https://example.org/", secret="s")
        WebhookDelivery.objects.create(webhook=webhook, event="e", payload={})
    with django_assert_max_num_queries(12):
        assert root_client.get(f"/admin/{path}").status_code == 200
    assert root_client.get(f"/admin/{path}", {"q": "example"}).status_code == 200
