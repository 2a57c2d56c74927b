"""Deleting an account: at once for whoever tries to get in, and all of it soon after."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts import consent
from accounts.models import ApiToken, AuditEvent, Consent, User
from accounts.purposes import ACCOUNT
from operations import stored_files
from recognition import quotas, tasks
from recognition.live import recordings
from recognition.models import (
    DataExport,
    IdempotencyKey,
    LiveUsage,
    Prediction,
    Recording,
    Upload,
    Webhook,
    WebhookDelivery,
)  # fmt: skip
from recognition.personal_data import account_deletion
from recognition.series import markers
from recognition.uploads import processing, retention
from recognition.uploads.actions import create_upload
from recognition.webhooks import deliveries, sending
from tests.support.factories import LEFT, make_upload, recognition, run
from tests.support.series import write_series
from tests.support.sockets import HOST, socket

pytestmark = pytest.mark.django_db(transaction=True)

#: What is about nobody.
IMPERSONAL = {"ContentType", "Permission", "Migration", "Site"}


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    cache.clear()  # Wrong passwords are counted in it.
    return tmp_path


def stored(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def rows() -> dict[str, int]:
    """Number of rows that are about somebody, by model."""
    models = [m for m in apps.get_models() if m.__name__ not in IMPERSONAL and m._meta.managed]
    counts = {model.__name__: model._default_manager.count() for model in models}
    return {name: count for name, count in counts.items() if count}


@pytest.fixture
def alice_with_everything(alice: User, alice_client: Client, alice_upload: Upload) -> User:
    """Alice, who has used all that there is."""
    (face, *_) = run(alice_upload, recognition(LEFT))
    face.heat_map.save("map.png", ContentFile(b"map"))
    now = timezone.now()
    export = DataExport(owner=alice, status="done")
    export.file.save("data.zip", ContentFile(b"zip"))
    recording = Recording.objects.create(owner=alice, started_at=now, ended_at=now)
    write_series(recording)
    markers.add(recording.pk, 0, "bell")
    quotas.add_live_seconds(alice.pk, 10)
    webhook = Webhook.objects.create(owner=alice, url="https://example.org/", secret="s")
    WebhookDelivery.objects.create(webhook=webhook, event="upload.done", payload={})
    IdempotencyKey.objects.create(owner=alice, key="k", request_sha256="0" * 64)
    ApiToken.objects.create(user=alice, name="laptop", prefix="v", key_sha256="1" * 64)
    Consent.objects.create(user=alice, purpose="training", version="1")
    content_type = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=alice, content_type=content_type, object_id=alice.pk, object_repr=alice.email,
        action_flag=CHANGE,
    )  # fmt: skip
    return alice


def close(client: Client, password: str = "alice-password") -> Any:
    return client.post("/privacy/delete-account/", {"password": password}, follow=True)


def test_the_page_says_what_goes(alice_client: Client, alice_upload: Upload) -> None:
    text = alice_client.get("/privacy/delete-account/").content.decode()
    assert "1 photo, with its results" in text
    assert "alice@example.org" in text
    assert User.objects.get().is_active


def test_a_wrong_password_deletes_nothing(alice: User, alice_client: Client) -> None:
    assert "is-invalid" in close(alice_client, "wrong").content.decode()
    assert alice_client.get("/privacy/").status_code == 200
    for _attempt in range(12):
        response = close(alice_client, "wrong")
    assert "Too many attempts" in response.content.decode()
    close(alice_client)
    assert User.objects.get().is_active


def test_nobody_gets_in_from_then_on(alice_with_everything: User, alice_client: Client) -> None:
    elsewhere = Client()
    elsewhere.force_login(alice_with_everything)
    response = close(alice_client)
    assert "Your account is closed." in response.content.decode()
    for client in (alice_client, elsewhere):
        assert client.get("/privacy/").status_code == 302
    form = {"login": "alice@example.org", "password": "alice-password"}
    Client().post("/accounts/login/", form)
    assert not ApiToken.objects.exists()
    assert not Webhook.objects.filter(is_active=True).exists()
    assert AuditEvent.objects.filter(action="account_deletion_requested").exists()


def test_messages_that_wait_are_sent_no_more(
    alice_with_everything: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(sending, "send", lambda url, *_more: sent.append(url))
    close(alice_client)
    assert not deliveries.deliver_next()
    assert sent == []


@pytest.mark.django_db(transaction=True)
def test_one_file_that_does_not_go_keeps_nothing_else(
    alice: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [default_storage.save(f"photos/{n}.jpg", ContentFile(b"x")) for n in range(3)]
    for name in names:
        make_upload(alice, image=name)
    monkeypatch.setattr(stored_files, "_asked_again_at", 0.0)
    delete = default_storage.delete
    asked: list[str] = []

    def refuse_one(name: str) -> None:
        asked.append(name)
        if name == names[1]:
            raise PermissionError(name)
        delete(name)

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "delete", refuse_one)
        account_deletion.close(alice)
        account_deletion.delete(alice.pk)
    assert not User.objects.filter(pk=alice.pk).exists()
    assert len(asked) <= len(names), "one that fails is not asked again and again"
    stored_files.delete_left()
    assert [name for name in names if default_storage.exists(name)] == []


def test_everything_goes(
    alice_with_everything: User, alice_client: Client, bob: User, face_jpeg: bytes, media: Path
) -> None:
    create_upload(bob, SimpleUploadedFile("b.jpg", face_jpeg))
    bobs_client = Client()
    bobs_client.force_login(bob)
    assert len(stored(media)) == 6
    close(alice_client)
    tasks.delete_account.apply((alice_with_everything.pk,), throw=True)
    left = rows()
    assert left.pop("AuditEvent") >= 1
    assert left == {"User": 1, "Consent": 1, "Upload": 1, "Session": left["Session"]}
    assert AuditEvent.objects.exclude(user=bob).count() == 0
    assert all(
        s.get_decoded().get("_auth_user_id") in {None, str(bob.pk)} for s in Session.objects.all()
    )
    assert len(stored(media)) == 2
    assert bobs_client.get("/uploads/").status_code == 200


def test_only_a_closed_account_is_deleted(alice_with_everything: User) -> None:
    assert not account_deletion.delete(alice_with_everything.pk)
    assert Upload.objects.exists()


def test_a_deletion_can_be_repeated_and_its_lost_task_is_found(
    alice_with_everything: User, monkeypatch: pytest.MonkeyPatch, media: Path
) -> None:
    account_deletion.close(alice_with_everything)
    with pytest.raises(quotas.AccountClosed):
        account_deletion.close(alice_with_everything)
    assert account_deletion.overdue() == []
    User.objects.update(deletion_due_at=timezone.now() - timedelta(seconds=1))
    assert account_deletion.overdue() == [alice_with_everything.pk]
    account_deletion.sweep()
    assert account_deletion.overdue() == [], "it is queued now, and not again each time"
    User.objects.update(deletion_due_at=None)
    assert account_deletion.overdue() == [alice_with_everything.pk], "as before an upgrade"

    def broken(*args: Any) -> None:
        raise RuntimeError("the database is gone")

    with monkeypatch.context() as patch:
        patch.setattr(User, "delete", broken)
        with pytest.raises(RuntimeError):
            account_deletion.delete(alice_with_everything.pk)
    assert account_deletion.delete(alice_with_everything.pk)
    assert not account_deletion.delete(alice_with_everything.pk)
    assert (rows(), stored(media)) == ({}, [])


def test_many_uploads_go_batch_by_batch(
    alice: User, monkeypatch: pytest.MonkeyPatch, media: Path, face_jpeg: bytes
) -> None:
    monkeypatch.setattr(account_deletion, "BATCH", 2)
    for number in range(5):
        create_upload(alice, SimpleUploadedFile(f"{number}.jpg", face_jpeg))
    account_deletion.close(alice)
    account_deletion.delete(alice.pk)
    assert (rows(), stored(media)) == ({}, [])


def test_others_have_their_turn_while_many_uploads_go(
    alice: User, monkeypatch: pytest.MonkeyPatch, media: Path, face_jpeg: bytes
) -> None:
    queued: list[Any] = []
    monkeypatch.setattr(
        account_deletion.messages, "send", lambda *what, **options: queued.append((what, options))
    )
    monkeypatch.setattr(account_deletion, "BATCH", 2)
    monkeypatch.setattr(account_deletion, "TURN_SECONDS", 0)
    for number in range(5):
        create_upload(alice, SimpleUploadedFile(f"{number}.jpg", face_jpeg))
    account_deletion.close(alice)
    queued.clear()
    for left in (3, 1):
        User.objects.update(deletion_due_at=timezone.now())
        assert not account_deletion.delete(alice.pk, goes_on=left < 3)
        assert Upload.with_trash.count() == left
        later = {"delay": account_deletion.PAUSE_SECONDS}
        assert queued.pop() == ((account_deletion.TASK, alice.pk, True), later)
        assert account_deletion.overdue() == [], "a sweep sends no other"
    assert account_deletion.delete(alice.pk, goes_on=True)
    assert (rows(), stored(media)) == ({}, [])


def test_others_have_their_turn_while_many_recordings_and_rows_go(
    alice: User, monkeypatch: pytest.MonkeyPatch, media: Path
) -> None:
    """All in one transaction, 100,000 of them kept a worker and the account's row for minutes."""
    sent: list[Any] = []
    monkeypatch.setattr(
        account_deletion.messages, "send", lambda *what, **_options: sent.append(what)
    )
    monkeypatch.setattr(account_deletion, "RECORDINGS_AT_ONCE", 2)
    monkeypatch.setattr(account_deletion, "ROWS_AT_ONCE", 4)
    monkeypatch.setattr(account_deletion, "TURN_SECONDS", 0)
    for _ in range(5):
        recordings.begin(alice.pk, "model-1")
    account_deletion.close(alice)
    AuditEvent.objects.exclude(action="recording_created").delete()
    sent.clear()
    left = []
    while not account_deletion.delete(alice.pk, goes_on=True):
        left.append((Recording.objects.count(), AuditEvent.objects.count()))
    assert left == [(3, 5), (1, 5), (0, 1)]
    assert sent == [(account_deletion.TASK, alice.pk, True)] * 3
    assert (rows(), stored(media)) == ({}, [])


def test_what_comes_afterwards_recreates_nothing(
    alice: User, alice_upload: Upload, media: Path, face_jpeg: bytes
) -> None:
    upload_id = str(alice_upload.pk)
    working = Upload.objects.claim(upload_id)
    assert working is not None
    recording = recordings.begin(alice.pk, "model-1")
    account_deletion.close(alice)
    account_deletion.delete(alice.pk)
    assert not processing.complete(working, recognition(LEFT), "model-1")
    tasks.process_upload.apply((upload_id,), throw=True)
    recording.save(ends=True)
    quotas.add_live_seconds(alice.pk, 5)
    assert not retention.remove_photo(upload_id)
    for create in (
        lambda: create_upload(alice, SimpleUploadedFile("a.jpg", face_jpeg)),
        lambda: recordings.begin(alice.pk, "model-1"),
    ):
        with pytest.raises(quotas.AccountClosed):
            create()
    assert (rows(), stored(media)) == ({}, [])
    assert not Prediction.objects.exists()
    assert not LiveUsage.objects.exists()


async def test_open_pages_hear_of_it_and_are_closed(alice: User, settings: Any) -> None:
    settings.SITE_URL = f"http://{HOST}"
    page = await sync_to_async(socket)(f"http://{HOST}", alice)
    assert (await page.connect())[0]
    await sync_to_async(account_deletion.close)(alice)
    # The next look may be three seconds away.
    closing = await page.receive_output(timeout=10)
    assert (closing["type"], closing["code"]) == ("websocket.close", 4401)
    await page.disconnect()


def test_without_consent_people_can_still_leave(alice: User, alice_client: Client) -> None:
    consent.withdraw(alice, ACCOUNT)
    assert alice_client.get("/uploads/").status_code == 302
    assert alice_client.get("/privacy/").status_code == 200
    assert "Your account is closed." in close(alice_client).content.decode()
