"""What staff with some permissions may do, and what nobody may."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, AuditEvent, User
from recognition.models import (
    ModelChoice,
    ModelComparison,
    Recording,
    Upload,
    Webhook,
    WebhookDelivery,
)
from tests.support.factories import allow


def test_the_dashboard_leads_staff_only_where_they_may_go(charlie_client: Client) -> None:
    page = charlie_client.get("/admin/").content.decode()
    assert "/admin/recognition/" not in page


def test_looking_at_uploads_is_not_acting_on_them(
    charlie: User, charlie_client: Client, done_upload: Upload
) -> None:
    allow(charlie, "recognition.view_upload")
    address = f"/admin/recognition/upload/{done_upload.pk}"
    assert charlie_client.get("/admin/recognition/upload/").status_code == 200
    assert charlie_client.get(f"{address}/change/").status_code == 200
    assert charlie_client.get(f"{address}/blurred/").status_code == 200
    assert charlie_client.post(f"{address}/photo/").status_code == 403
    assert charlie_client.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    for action in ("retry", "rerun", "delete_selected"):
        form = {"action": action, "_selected_action": [str(done_upload.pk)], "post": "yes"}
        charlie_client.post("/admin/recognition/upload/", form)
    done_upload.refresh_from_db()
    assert done_upload.status == Upload.Status.DONE
    assert not AuditEvent.objects.filter(action="photo_viewed_by_staff").exists()
    assert "Show photo" not in charlie_client.get(f"{address}/change/").content.decode()


def test_looking_at_models_is_not_choosing_one(
    charlie: User, charlie_client: Client, models_folder: object
) -> None:
    allow(charlie, "recognition.view_modelchoice", "recognition.view_modelcomparison")
    page = charlie_client.get("/admin/recognition/modelchoice/")
    assert page.status_code == 200
    assert "Activate" not in page.content.decode()
    assert "Compare" not in page.content.decode()
    form = {"name": "candidate.json", "count": 5}
    base = "/admin/recognition/modelchoice/"
    assert charlie_client.post(f"{base}activate/", form).status_code == 403
    assert charlie_client.post(f"{base}compare/", form).status_code == 403
    comparison = ModelComparison.objects.create(candidate="candidate.json")
    cancel = f"/admin/recognition/modelcomparison/{comparison.pk}/cancel/"
    assert charlie_client.post(cancel).status_code == 403
    assert not ModelChoice.objects.exists()
    assert ModelComparison.objects.get().status == ModelComparison.Status.PENDING


def test_what_is_written_once_cannot_be_changed_even_by_superusers(
    root_client: Client, alice: User
) -> None:
    event = AuditEvent.objects.create(user=alice, action="signed_in")
    base = "/admin/accounts/auditevent/"
    assert root_client.get(base).status_code == 200
    assert root_client.get(f"{base}add/").status_code == 403
    assert root_client.post(f"{base}{event.pk}/change/", {"action": "x"}).status_code == 403
    assert root_client.post(f"{base}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    form = {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"}
    root_client.post(base, form)
    event.refresh_from_db()
    assert event.action == "signed_in"


def test_staff_who_may_change_people_cannot_make_themselves_more(
    charlie: User, charlie_client: Client, root: User, alice: User
) -> None:
    allow(charlie, "accounts.view_user", "accounts.change_user", "accounts.delete_user")
    group = Group.objects.create(name="everything")
    form = {
        "email": charlie.email, "is_active": "on", "is_staff": "on", "is_superuser": "on",
        "groups": [group.pk],
    }  # fmt: skip
    charlie_client.post(f"/admin/accounts/user/{charlie.pk}/change/", form)
    charlie.refresh_from_db()
    assert not charlie.is_superuser
    assert not charlie.groups.exists()
    base = f"/admin/accounts/user/{root.pk}"
    assert charlie_client.post(f"{base}/change/", {"email": "x@example.org"}).status_code == 403
    assert charlie_client.post(f"{base}/delete/", {"post": "yes"}).status_code == 403
    for person in (root, alice):
        form = {"password1": "another-password-7", "password2": "another-password-7"}
        path = f"/admin/accounts/user/{person.pk}/password/"
        assert charlie_client.post(path, form).status_code == 403
    form = {"action": "disable", "_selected_action": [root.pk]}
    charlie_client.post("/admin/accounts/user/", form)
    form = {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"}
    charlie_client.post("/admin/accounts/user/", form)
    root.refresh_from_db()
    assert root.is_active
    assert root.email == "root@example.org"


@pytest.mark.parametrize("key", ["abc", "9" * 30, "%00", "1_5F2"])
def test_nobodys_password_cannot_be_set(key: str, root_client: Client) -> None:
    for method in ("get", "post"):
        response = getattr(root_client, method)(f"/admin/accounts/user/{key}/password/")
        assert response.status_code in {302, 404}


@pytest.mark.parametrize(
    "path",
    [
        "/admin/password_change/",
        "/admin/accounts/user/{own}/password/",
        "/admin/accounts/user/0{own}/password/",
    ],
)
def test_staff_change_their_own_password_where_everybody_does(
    path: str, root: User, root_client: Client
) -> None:
    """That page counts wrong ones, tells people, and is refused once access has ended."""
    form = {
        "old_password": "root-password", "new_password1": "another-password-7",
        "new_password2": "another-password-7", "password1": "another-password-7",
        "password2": "another-password-7", "usable_password": "true",
    }  # fmt: skip
    for method in ("get", "post"):
        answer = getattr(root_client, method)(path.format(own=root.pk), form)
        assert answer.status_code == 302
        assert answer.headers["Location"] == "/accounts/password/change/"
    root.refresh_from_db()
    assert root.check_password("root-password")


def test_staff_sign_out_as_everybody_does(root_client: Client) -> None:
    answer = root_client.post("/admin/logout/")
    assert (answer.status_code, answer.headers["Location"]) == (307, "/accounts/logout/")
    root_client.post("/admin/logout/", follow=True)
    assert root_client.get("/admin/").status_code == 302


def test_no_key_is_shown(root_client: Client, alice: User) -> None:
    token = ApiToken.objects.create(user=alice, name="laptop", prefix="vis_ab", key_sha256="f" * 64)
    webhook = Webhook.objects.create(
        owner=alice, url="https://hooks.example.org/T0/path-as-key?k=query-as-key", secret="s3cret"
    )
    delivery = WebhookDelivery.objects.create(
        webhook=webhook, event="upload.finished", payload={"label": "payload-as-key"}
    )
    for path in (
        "accounts/apitoken/", f"accounts/apitoken/{token.pk}/change/",
        "recognition/webhook/", f"recognition/webhook/{webhook.pk}/change/",
        "recognition/webhookdelivery/", f"recognition/webhookdelivery/{delivery.pk}/change/",
    ):  # fmt: skip
        response = root_client.get(f"/admin/{path}")
        assert response.status_code == 200
        page = response.content.decode()
        for secret in ("ffff", "as-key", "s3cret"):
            assert secret not in page, path


def test_a_form_of_somebody_makes_nobody_new(
    charlie: User, charlie_client: Client, alice: User
) -> None:
    allow(charlie, "accounts.add_user")
    form = {
        "_saveasnew": "1", "email": "new@example.org", "usable_password": "true",
        "password1": "a-good-password-7", "password2": "a-good-password-7",
    }  # fmt: skip
    address = f"/admin/accounts/user/{alice.pk}/change/"
    assert charlie_client.post(address, form).status_code == 400
    assert not User.objects.filter(email="new@example.org").exists()


@pytest.mark.parametrize("by", ["page", "action"])
def test_recordings_that_staff_delete_are_in_their_owners_trail(
    charlie: User, charlie_client: Client, alice: User, by: str
) -> None:
    allow(charlie, "recognition.view_recording", "recognition.delete_recording")
    now = timezone.now()
    recording = Recording.objects.create(owner=alice, started_at=now, ended_at=now)
    chosen = {"action": "delete_selected", "_selected_action": [str(recording.pk)]}
    path, form = {
        "page": (f"{recording.pk}/delete/", {}),
        "action": ("", chosen),
    }[by]
    response = charlie_client.post(f"/admin/recognition/recording/{path}", {**form, "post": "yes"})
    assert response.status_code == 302
    assert not Recording.objects.exists()
    (event,) = AuditEvent.objects.filter(action="recording_deleted")
    assert (event.user, event.actor) == (alice, charlie)
