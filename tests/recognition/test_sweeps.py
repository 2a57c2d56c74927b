"""Sweeps of photos end in time and go on, and photos that come back fill no queue."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from operations import stored_files
from operations.models import LeftFile
from operations.tasks import delete_left_files
from recognition import tasks
from recognition.jobs import messages
from recognition.jobs.picking import MANY_WAITING
from recognition.models import Upload
from recognition.uploads import actions, retention, trash, waiting
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
        monkeypatch.setattr(trash, "empty_due", lambda is_over: empty_due(lambda: True))
    else:
        settings.RETENTION_DEFAULT_DAYS = 30
        gone = {"photo_deleted_at": timezone.now()}
        monkeypatch.setattr(
            retention, "remove_photo", lambda pk: Upload.objects.filter(pk=pk).update(**gone)
        )
        remove_due_photos = retention.remove_due_photos
        monkeypatch.setattr(
            retention, "remove_due_photos", lambda is_over: remove_due_photos(is_over, limit=3)
        )
    sweep = getattr(tasks, f"sweep_{what}")
    sweep()
    assert sent == [((sweep.name,), {"delay": PAUSE_SECONDS})]
    sweep()
    sweep()
    assert len(sent) == 1, "nothing is left"


def test_a_sweep_gives_way_to_whoever_waits(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = False
    monkeypatch.setattr(waiting, "somebody_waits", lambda: waits)
    long_ago = timezone.now() - timedelta(days=400)
    for number in range(8):
        make_upload(alice, sha256=f"{number:064}", trashed_at=long_ago)
    monkeypatch.setattr(trash, "AT_ONCE", 3)
    waits = True
    assert trash.empty_due(waiting.turn(60)) == 3
    waits = False
    assert trash.empty_due(waiting.turn(60)) == 5


@pytest.mark.django_db(transaction=True)
def test_photos_that_cannot_be_removed_keep_no_others(
    alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RETENTION_DEFAULT_DAYS = 30
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for number in range(8):
        make_upload(alice, sha256=f"{number:064}")
    long_ago = timezone.now() - timedelta(days=400)
    Upload.objects.update(created_at=long_ago)
    bad = {str(pk) for pk in Upload.objects.order_by("pk").values_list("pk", flat=True)[:3]}
    Upload.objects.filter(pk__in=bad).update(created_at=long_ago - timedelta(days=1))

    def remove(pk: str) -> int:
        if pk in bad:
            raise OSError
        return Upload.objects.filter(pk=pk).update(photo_deleted_at=timezone.now())

    monkeypatch.setattr(retention, "remove_photo", remove)
    while retention.remove_due_photos(is_over=lambda: True):
        pass
    assert {str(pk) for pk in retention.due_photos().values_list("pk", flat=True)} == bad


@pytest.fixture
def photos(alice: User) -> list[Upload]:
    """Three, each with a file."""
    photos = [make_upload(alice, sha256=f"{number:064}") for number in range(3)]
    for photo in photos:
        photo.image.save("a.jpg", ContentFile(b"photo"))
    return photos


def stored(media: Path) -> set[str]:
    return {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}


class Bucket:
    """Refuses to delete what is in `kept`; notes what it is asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
        self.kept: set[str] = set()
        self.asked: list[str] = []
        self._error, self._delete = error, default_storage.delete
        monkeypatch.setattr(default_storage, "delete", self._asked_to_delete)

    def _asked_to_delete(self, name: str) -> None:
        self.asked.append(name)
        if name in self.kept:
            raise self._error
        self._delete(name)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [ConnectionError, SoftTimeLimitExceeded])
def test_what_a_failing_storage_leaves_is_deleted_later(
    photos: list[Upload],
    alice: User,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
) -> None:
    bucket = Bucket(monkeypatch, error)
    bucket.kept = set(stored(media))
    actions.delete_uploads(Upload.objects.all(), alice)
    assert not Upload.with_trash.exists()
    assert len(bucket.asked) == 1, "a hundred files, half a minute each, would keep a request"
    assert {left.name for left in LeftFile.objects.all()} == stored(media) == bucket.kept

    # One of them cannot be deleted for now, and keeps no others.
    first = LeftFile.objects.order_by("pk")[0].name
    bucket.kept = {first}
    delete_left_files()
    assert stored(media) == {first}
    bucket.kept = set()
    delete_left_files()
    assert (stored(media), LeftFile.objects.count()) == (set(), 0)


@pytest.mark.django_db(transaction=True)
def test_a_storage_that_answers_again_is_asked_again(
    photos: list[Upload], alice: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = Bucket(monkeypatch, ConnectionError)
    bucket.kept = {str(photos[0].image.name)}
    monkeypatch.setattr(stored_files, "PAUSE_SECONDS", 0.0)
    actions.delete_uploads(Upload.objects.all(), alice)
    assert stored(media) == bucket.kept
