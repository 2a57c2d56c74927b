"""An archive of everything: what is in it, who gets it, and what happens to its task."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from asgiref.sync import sync_to_async
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, Storage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client
from django.utils import timezone

from accounts.models import ApiToken, AuditEvent, Consent, User
from operations import whole_copies
from recognition import quotas, tasks
from recognition.jobs.job import ClaimLost
from recognition.models import (
    DataExport,
    Recording,
    StretchAnswer,
    Upload,
    Video,
    VideoTransfer,
    Webhook,
)
from recognition.personal_data import export as data_export
from recognition.series import markers
from recognition.uploads import corrections, retention
from recognition.uploads.actions import create_upload
from tests.support.factories import LEFT, RIGHT, recognition, run
from tests.support.series import write_series

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def archives(media: Path) -> list[Path]:
    return list((media / "exports").glob("*")) if (media / "exports").exists() else []


def made(user: User) -> zipfile.ZipFile:
    """The archive of a new export."""
    export = data_export.start(user)
    assert data_export.build(str(export.pk))
    export.refresh_from_db()
    with export.file.open("rb") as file:
        return zipfile.ZipFile(io.BytesIO(file.read()))


@pytest.fixture
def rich_alice(alice: User, bob: User, alice_upload: Upload, face_jpeg: bytes) -> User:
    """Alice with a bit of everything, beside Bob with the same."""
    faces = run(alice_upload, recognition(LEFT, RIGHT))
    corrections.correct(faces[1], "sad", alice)
    now = timezone.now()
    for user in (alice, bob):
        samples = [[1, "happy", 0.0, 2.5, 0.9]]
        recording = Recording.objects.create(
            owner=user, started_at=now, ended_at=now, samples=samples
        )
        write_series(recording)
        Video.objects.create(
            owner=user, recording=recording, name=f"film of {user.pk}", byte_size=1
        )
        markers.add(recording.pk, 1500, f"bell of {user.pk}", 1)
        VideoTransfer.objects.create(owner=user, name=f"film of {user.pk}", byte_size=9)
        StretchAnswer.objects.create(
            recording=recording, face=user.pk, start_ms=0, end_ms=1, label="sad"
        )
        Webhook.objects.create(owner=user, url=f"https://{user.pk}.example/", secret="hush-hush")
        Consent.objects.create(user=user, purpose="account", version="1")
        ApiToken.objects.create(
            user=user, name=f"laptop of {user.pk}", prefix="vis_", key_sha256=f"{user.pk:064d}"
        )
        UserSession.objects.create(
            user=user, ip="192.0.2.1", user_agent=f"browser of {user.pk}", session_key=f"k{user.pk}"
        )
        EmailAddress.objects.create(user=user, email=f"new-{user.email}")
    create_upload(bob, SimpleUploadedFile("bobs-secret.jpg", face_jpeg))
    return alice


def test_everything_of_ones_own_is_in_it_and_nothing_else(
    rich_alice: User, alice_upload: Upload, bob: User
) -> None:
    archive = made(rich_alice)
    assert archive.testzip() is None
    names = set(archive.namelist())
    tables = (
        "corrections", "live_sessions", "markers", "live_usage", "consents", "audit_trail",
        "webhooks", "webhook_deliveries", "api_tokens", "videos", "stretch_corrections",
        "videos_on_their_way", "sessions", "email_addresses",
    )  # fmt: skip
    recording = Recording.objects.get(owner=rich_alice)
    assert names == {
        "README.txt", "account.json", "uploads.json", "trash.json", "predictions.csv",
        f"photos/{alice_upload.pk}.jpg", f"recordings/{recording.pk}.csv",
        *(f"{t}.{ext}" for t in tables for ext in ("json", "csv")),
    }  # fmt: skip
    with alice_upload.image.open() as photo:
        assert archive.read(f"photos/{alice_upload.pk}.jpg") == photo.read()
    everything = b"\n".join(archive.read(name) for name in names if not name.startswith("photos"))
    for foreign in (
        "bobs-secret",
        f"laptop of {bob.pk}",
        f"bell of {bob.pk}",
        f"film of {bob.pk}",
        f"browser of {bob.pk}",
        "bob@example.org",
        "hush-hush",
        f"{rich_alice.pk:064d}",
    ):
        assert foreign.encode() not in everything
    (upload,) = json.loads(archive.read("uploads.json"))
    assert [face["label"] for face in upload["faces"]] == ["happy", "sad"]
    assert json.loads(archive.read("account.json"))["email"] == "alice@example.org"
    assert "password" not in archive.read("account.json").decode()
    for table in tables:
        as_json = json.loads(archive.read(f"{table}.json"))
        as_csv = list(csv.DictReader(io.StringIO(archive.read(f"{table}.csv").decode())))
        assert len(as_json) == len(as_csv)
        assert [list(row) for row in as_csv] == [list(row) for row in as_json]
    (correction,) = json.loads(archive.read("corrections.json"))
    assert (correction["predicted_label"], correction["correction"]) == ("happy", "sad")
    assert correction["corrected_at"]
    (stretch,) = json.loads(archive.read("live_sessions.json"))
    assert (stretch["label"], stretch["end"]) == ("happy", 2.5)
    (marker,) = json.loads(archive.read("markers.json"))
    assert (marker["time_ms"], marker["value"]) == (1500, 1)
    series = f"recordings/{marker['recording']}.csv"
    assert len(archive.read(series).decode().splitlines()) == 31
    actions = [row["action"] for row in json.loads(archive.read("audit_trail.json"))]
    assert {"upload_created", "correction_made", "data_exported"} <= set(actions)
    assert "alice@example.org" in archive.read("README.txt").decode()


def test_photos_that_are_gone_are_left_out(rich_alice: User, alice_upload: Upload) -> None:
    assert retention.remove_photo(str(alice_upload.pk))
    archive = made(rich_alice)
    assert not [name for name in archive.namelist() if name.startswith("photos/")]
    assert len(json.loads(archive.read("uploads.json"))) == 1


class WithoutPaths(Storage):
    """As a bucket is."""

    def __init__(self) -> None:
        memory = InMemoryStorage()
        self._open, self._save = memory._open, memory._save
        self.exists, self.delete = memory.exists, memory.delete


def test_a_storage_without_paths_will_do(
    alice_upload: Upload, alice: User, monkeypatch: pytest.MonkeyPatch, face_jpeg: bytes
) -> None:
    storage = WithoutPaths()
    for field in (*Upload._meta.fields, *DataExport._meta.fields):
        if hasattr(field, "storage"):
            monkeypatch.setattr(field, "storage", storage)
    for module in (data_export, whole_copies):
        monkeypatch.setattr(module, "default_storage", storage)
    upload = create_upload(alice, SimpleUploadedFile("b.jpg", face_jpeg))
    assert f"photos/{upload.pk}.jpg" in made(alice).namelist()


def test_the_page_makes_it_and_gives_it_to_its_owner_alone(
    rich_alice: User, alice_client: Client, bob_client: Client
) -> None:
    response = alice_client.post("/privacy/exports/new/", follow=True)
    text = response.content.decode()
    assert "Preparing your export." in text
    assert "Download" not in text
    export = DataExport.objects.get()
    path = f"/privacy/exports/{export.pk}/"
    assert alice_client.get(path).status_code == 404
    tasks.build_export.apply((str(export.pk),), throw=True)
    text = alice_client.get("/privacy/").content.decode()
    assert path in text
    assert "Create new export" in text
    response = alice_client.get(path)
    content = b"".join(response)
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    assert response["Content-Length"] == str(len(content))
    assert response["Content-Type"] == "application/zip"
    assert "attachment" in response["Content-Disposition"]
    assert response["Cache-Control"] == "private, no-store"
    assert bob_client.get(path).status_code == 404
    assert [message.to for message in mail.outbox] == [["alice@example.org"]]


async def test_a_download_comes_in_pieces(alice: User) -> None:
    export = await DataExport.objects.acreate(owner=alice, status="done")
    await sync_to_async(export.file.save)("x.zip", ContentFile(b"z" * 1_000_000))
    client = AsyncClient()
    await client.aforce_login(alice)
    response = await client.get(f"/privacy/exports/{export.pk}/")
    assert response.is_async
    sizes = [len(piece) async for piece in response]
    assert sum(sizes) == 1_000_000
    assert len(sizes) == 4


def test_one_at_a_time(alice: User, alice_client: Client) -> None:
    data_export.start(alice)
    with pytest.raises(data_export.ExportRunning):
        data_export.start(alice)
    text = alice_client.post("/privacy/exports/new/", follow=True).content.decode()
    assert "already being exported" in text
    assert DataExport.objects.count() == 1


def test_a_new_one_takes_the_place_of_the_old(alice: User, media: Path) -> None:
    made(alice)
    made(alice)
    assert DataExport.objects.count() == 1
    assert len(archives(media)) == 1


def test_it_can_be_deleted_and_cancelled(alice: User, alice_client: Client, media: Path) -> None:
    made(alice)
    export = DataExport.objects.get()
    alice_client.post(f"/privacy/exports/{export.pk}/delete/")
    assert not DataExport.objects.exists()
    assert archives(media) == []


@pytest.mark.parametrize("gone", ["export", "account"])
def test_what_is_deleted_meanwhile_leaves_no_file(
    gone: str, alice: User, alice_upload: Upload, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = data_export.start(alice)
    add = data_export._add_photo

    def slowly(*args: Any) -> None:
        (DataExport.objects.all() if gone == "export" else alice).delete()
        add(*args)

    monkeypatch.setattr(data_export, "_add_photo", slowly)
    assert not data_export.build(str(export.pk))
    assert not DataExport.objects.exists()
    assert archives(media) == []


def test_what_is_deleted_while_it_is_stored_leaves_no_file(
    alice: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = data_export.start(alice)
    save = default_storage.save

    def slowly(*args: Any) -> str:
        DataExport.objects.all().delete()
        return save(*args)

    monkeypatch.setattr(default_storage, "save", slowly)
    assert not data_export.build(str(export.pk))
    assert archives(media) == []


def test_a_failure_is_tried_three_times_and_then_told(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch, media: Path
) -> None:
    def broken(*args: Any) -> None:
        raise OSError("the disk is full")

    export = data_export.start(alice)
    monkeypatch.setattr(data_export, "_store", broken)
    for attempt in (1, 2, 3):
        assert not data_export.build(str(export.pk))
        export.refresh_from_db()
        assert (export.status, export.attempts) == (
            "failed" if attempt == 3 else "pending",
            attempt,
        )
    assert not data_export.build(str(export.pk))
    assert "The export failed." in alice_client.get("/privacy/").content.decode()
    assert archives(media) == []
    monkeypatch.undo()
    data_export.start(alice)


def expire(export: DataExport) -> None:
    past = timezone.now() - timedelta(hours=1)
    DataExport.objects.filter(pk=export.pk).update(claimed_until=past, queued_at=past)


def test_a_worker_that_died_is_followed_by_another(alice: User, media: Path) -> None:
    export = data_export.start(alice)
    dead = DataExport.objects.claim(export.pk)
    assert dead is not None
    dead.file.name = "exports/half.zip"
    data_export._go_on(dead, 0.0, file=dead.file.name)
    default_storage.save(dead.file.name, io.BytesIO(b"half"))
    assert DataExport.objects.claim(export.pk) is None
    assert not data_export.build(str(export.pk))
    assert DataExport.objects.take_overdue() == []
    expire(export)
    assert DataExport.objects.take_overdue() == [str(export.pk)]
    assert data_export.build(str(export.pk))
    assert len(archives(media)) == 1
    with pytest.raises(ClaimLost):
        data_export._go_on(dead, 0.5)


def test_exports_of_several_people_take_turns(alice: User, bob: User) -> None:
    first, second = data_export.start(alice), data_export.start(bob)
    assert DataExport.objects.claim(first.pk) is not None
    assert not data_export.build(str(second.pk))
    # Nor by the first one's message, which a queue delivers again after some minutes.
    assert not data_export.build(str(first.pk))
    second.refresh_from_db()
    assert (second.status, second.attempts) == ("pending", 0)
    DataExport.objects.filter(pk=first.pk).update(status="done")
    expire(second)
    assert DataExport.objects.take_overdue() == [str(second.pk)]
    assert data_export.build(str(second.pk))


def test_after_a_week_file_and_row_go(alice: User, media: Path) -> None:
    made(alice)
    default_storage.save("exports/stray.zip", io.BytesIO(b"stray"))
    tasks.sweep_exports()
    assert len(archives(media)) == 1
    DataExport.objects.update(expires_at=timezone.now())
    tasks.sweep_exports()
    assert not DataExport.objects.exists()
    assert archives(media) == []


def test_a_closed_account_exports_nothing(alice: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(quotas.AccountClosed):
        data_export.start(alice)
    assert not AuditEvent.objects.filter(action="data_exported").exists()
