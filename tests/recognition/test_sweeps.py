"""Sweeps of photos end in time and go on, and photos that come back fill no queue."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from recognition import tasks
from recognition.jobs import messages
from recognition.jobs.picking import MANY_WAITING
from recognition.models import Upload
from recognition.uploads import actions, retention, trash
from recognition.uploads.tasks import PAUSE_SECONDS
from tests.support.factories import make_upload


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.mark.django_db(transaction=True)
def test_back_and_forth_does_not_fill_the_queue(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(messages, "send", lambda *what, **_options: sent.append(what))
    long_ago = timezone.now() - timedelta(hours=1)
    for number in range(30):
        make_upload(alice, sha256=f"{number:064}", status="pending", queued_at=long_ago)
    for _ in range(3):
        trash.move(Upload.objects.all(), alice)
        trash.restore(Upload.with_trash.trashed(), alice)
    assert len(sent) <= 3 * MANY_WAITING
    # The sweep sends for those that were left out.
    assert len({what[1] for what in sent} | set(Upload.objects.take_overdue())) == 30


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["trash", "photos"])
def test_a_sweep_goes_on_while_there_is_more(
    what: str, alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(messages, "send", lambda *what, **options: sent.append((what, options)))
    long_ago = timezone.now() - timedelta(days=400)
    for number in range(5):
        make_upload(alice, sha256=f"{number:064}")
    Upload.objects.update(created_at=long_ago)
    if what == "trash":
        Upload.objects.update(trashed_at=long_ago)
        monkeypatch.setattr(trash, "AT_ONCE", 3)
        empty_due = trash.empty_due
        monkeypatch.setattr(trash, "empty_due", lambda: empty_due(0))
    else:
        settings.RETENTION_DEFAULT_DAYS = 30
        gone = {"photo_deleted_at": timezone.now()}
        monkeypatch.setattr(
            retention, "remove_photo", lambda pk: Upload.objects.filter(pk=pk).update(**gone)
        )
        remove_due_photos = retention.remove_due_photos
        monkeypatch.setattr(retention, "remove_due_photos", lambda: remove_due_photos(limit=3))
    sweep = getattr(tasks, f"sweep_{what}")
    sweep()
    assert sent == [((sweep.name,), {"delay": PAUSE_SECONDS})]
    sweep()
    sweep()
    assert len(sent) == 1, "nothing is left"


def test_a_file_that_cannot_be_deleted_keeps_no_other(
    alice: User,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    photos = [make_upload(alice, sha256=f"{number:064}") for number in range(3)]
    for photo in photos:
        photo.image.save("a.jpg", ContentFile(b"photo"))
    bad = photos[0].image.name
    delete = default_storage.delete

    def fail(name: str) -> None:
        if name == bad:
            raise ConnectionError
        delete(name)

    monkeypatch.setattr(default_storage, "delete", fail)
    with django_capture_on_commit_callbacks(execute=True):
        actions.delete_uploads(Upload.objects.all(), alice)
    assert [path for path in media.rglob("*") if path.is_file()] == [media / str(bad)]
