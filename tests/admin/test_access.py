"""Every address of the administration is for staff who may; nobody else gets an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import ApiToken, AuditEvent, User
from recognition.models import ModelChoice, ModelComparison, Upload

#: What a stranger, and staff without permissions, may open.
OPEN = {"login", "logout", "jsi18n"}
FOR_ALL_STAFF = OPEN | {
    "index", "services", "password_change", "password_change_done", "autocomplete",
    "view_on_site", "app_list",
}  # fmt: skip


def patterns(resolver: URLResolver, prefix: str = "/") -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield entry.name or "", pattern
        else:
            yield from patterns(entry, pattern)


def addresses() -> Iterator[tuple[str, str]]:
    """``(name, path)`` of every address under /admin/, with an id that does not matter."""
    for name, pattern in patterns(get_resolver()):
        if pattern.startswith("/admin/") and name and "(?P" not in pattern:
            with_uuid = re.sub(r"<uuid:\w+>", str(uuid4()), pattern)
            yield name, re.sub(r"<[\w:]+>", "1", with_uuid)
    yield "app_list_of_recognition", "/admin/recognition/"


ADDRESSES = list(addresses())


def test_all_that_should_be_is_administered() -> None:
    names = {model.__name__ for model in admin.site._registry}
    assert names >= {
        "ApiToken", "AuditEvent", "Consent", "DataExport", "LiveSession", "LiveUsage",
        "ModelChoice", "ModelComparison", "Prediction", "Upload", "User", "Webhook",
        "WebhookDelivery",
    }  # fmt: skip
    assert len(ADDRESSES) > 60


@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_and_ordinary_people_are_sent_to_sign_in(
    method: str, alice_client: Client
) -> None:
    for name, path in ADDRESSES:
        if name in OPEN:
            continue
        for client in (Client(), alice_client):
            response = getattr(client, method)(path)
            assert response.status_code == 302, path
            assert "login" in response["Location"], path


@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_without_permission_get_no_further_than_the_dashboard(
    method: str, charlie_client: Client
) -> None:
    for name, path in ADDRESSES:
        if name in FOR_ALL_STAFF:
            continue
        response = getattr(charlie_client, method)(path)
        # A redirect without a permission is Django's for an id that is not there.
        assert response.status_code in {302, 403, 404, 405}, path
        if response.status_code == 302:
            assert response["Location"] in {"/admin/", path + "change/"}, path


def test_the_dashboard_leads_staff_only_where_they_may_go(charlie_client: Client) -> None:
    page = charlie_client.get("/admin/").content.decode()
    assert "/admin/recognition/" not in page


def allow(user: User, *names: str) -> None:
    for name in names:
        app, codename = name.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )


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
    assert "Make active" not in page.content.decode()
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


def test_posts_need_a_token(root: User, done_upload: Upload, models_folder: object) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(root)
    for path in (
        f"/admin/recognition/upload/{done_upload.pk}/photo/",
        "/admin/recognition/modelchoice/activate/",
        "/admin/recognition/modelchoice/compare/",
    ):
        assert client.post(path, {"name": "candidate.json"}).status_code == 403
    assert not ModelChoice.objects.exists()


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


def test_no_key_is_shown(root_client: Client, alice: User) -> None:
    from recognition.models import Webhook, WebhookDelivery

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
