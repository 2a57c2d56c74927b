"""What is deleted for good is not left in messages, trails, or exports of what others gave."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent, User
from recognition.models import DataExport, Upload, Webhook, WebhookDelivery
from recognition.personal_data import export as data_export
from recognition.series import deleting
from recognition.uploads import actions, corrections, trash
from recognition.videos.actions import create_video
from recognition.webhooks import deliveries
from studies.taking_part import keys, leaving
from tests.support import studies as make
from tests.support.factories import add_face, make_upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hook(alice: User) -> Webhook:
    return Webhook.objects.create(owner=alice, url="https://alice.example/", secret="whsec_x")


def told(user: User, label: str = "happy") -> Upload:
    upload = make_upload(user)
    add_face(upload, label)
    with transaction.atomic():
        deliveries.record_finished(upload)
    return upload


def test_messages_go_with_their_photo_sent_or_not(hook: Webhook, alice: User) -> None:
    first, second, third = (told(alice) for _ in range(3))
    now = timezone.now()
    WebhookDelivery.objects.filter(subject=first.pk).update(
        status=WebhookDelivery.Status.DONE, delivered_at=now, finished_at=now
    )
    both = Upload.objects.filter(pk__in=[first.pk, second.pk])
    trash.move(both, alice)
    assert WebhookDelivery.objects.count() == 3
    assert actions.delete_uploads(Upload.with_trash.trashed(), alice) == 2
    assert [one.payload["upload"]["id"] for one in hook.deliveries.all()] == [str(third.pk)]


def test_messages_go_with_their_video(hook: Webhook, alice: User) -> None:
    video = create_video(alice, SimpleUploadedFile("a.gif", b"GIF89a and more"))
    with transaction.atomic():
        deliveries.record_video_finished(video)
    deliveries.record_ping(hook)
    deleting.delete(video.recording, alice)
    assert [one.event for one in hook.deliveries.all()] == [deliveries.PING]


def test_the_trail_keeps_no_label(alice: User) -> None:
    face = add_face(make_upload(alice), "happy")
    corrections.correct(face, "sad", alice)
    AuditEvent.objects.update(at=timezone.now() - audit.TOGETHER)
    corrections.correct(face, "", alice)
    events = AuditEvent.objects.filter(action="correction_made")
    assert [event.details for event in events] == [{"face": 0}, {"face": 0}]


def test_an_export_that_is_being_made_leaves_out_who_withdraws_meanwhile(
    alice: User, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    study = make.open_study(alice, delete_on=date(2099, 12, 31))
    code = keys.code_of(keys.new(), keys.new())
    make.participation(study, external_id="panel-7", code_hash=keys.hash_of_code(code))
    make.participation(study, external_id="panel-8")
    export = data_export.start(alice)
    store = data_export._store

    def withdraw_first(*args: Any) -> None:
        leaving.withdraw(code)
        store(*args)

    monkeypatch.setattr(data_export, "_store", withdraw_first)
    assert not data_export.build(str(export.pk))
    assert DataExport.objects.get().status == DataExport.Status.PENDING
    assert list((tmp_path / "exports").iterdir()) == []
    assert data_export.build(str(export.pk))
    with DataExport.objects.get().file.open("rb") as file, zipfile.ZipFile(file) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"panel-8" in everything
    assert b"panel-7" not in everything


def test_a_preview_takes_no_export_along(alice: User) -> None:
    study = make.open_study(alice)
    preview = make.participation(study, is_preview=True)
    participation = make.participation(study)
    export = DataExport.objects.create(owner=alice, status=DataExport.Status.DONE)
    preview.delete()
    assert DataExport.objects.filter(pk=export.pk).exists()
    participation.delete()
    assert not DataExport.objects.filter(pk=export.pk).exists()
