"""What goes into which queue, and when a task counts as lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import User
from recognition.jobs import queues
from recognition.models import Upload
from recognition.uploads import actions, overdue, tasks


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """``(upload, queue)`` of each message, instead of a queue."""
    messages: list[tuple[str, str]] = []

    def apply_async(arguments: tuple[str], *, queue: str, **options: Any) -> None:
        messages.append((arguments[0], queue))

    monkeypatch.setattr(tasks.process_upload, "apply_async", apply_async)
    return messages


def add_rows(owner: User, count: int, **fields: Any) -> list[str]:
    rows = [
        Upload(owner=owner, name="a.jpg", width=1, height=1, byte_size=1, **fields)
        for _ in range(count)
    ]
    return [str(row.pk) for row in Upload.objects.bulk_create(rows)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("of_batch", "queue"), [(False, queues.INTERACTIVE), (True, queues.BULK)])
def test_a_photo_goes_into_the_queue_it_is_made_for(
    of_batch: bool, queue: str, alice: User, face_jpeg: bytes, queued: list[tuple[str, str]]
) -> None:
    upload = actions.create_upload(alice, SimpleUploadedFile("a.jpg", face_jpeg), of_batch=of_batch)
    assert queued == [(str(upload.pk), queue)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("count", "queue"), [(1, queues.INTERACTIVE), (2, queues.BULK)])
def test_one_retry_is_watched_and_many_are_not(
    count: int, queue: str, alice: User, queued: list[tuple[str, str]]
) -> None:
    add_rows(alice, count, status=Upload.Status.FAILED)
    assert actions.retry_uploads(Upload.objects.all()) == count
    assert [name for _, name in queued] == [queue] * count


def test_lost_tasks_of_a_batch_do_not_go_before_people(
    alice: User, bob: User, queued: list[tuple[str, str]]
) -> None:
    batch = add_rows(alice, overdue.MANY_WAITING + 1)
    (single,) = add_rows(bob, 1)
    assert overdue.requeue() == len(batch) + 1
    assert dict(queued) == {**dict.fromkeys(batch, queues.BULK), single: queues.INTERACTIVE}


@pytest.mark.parametrize(
    ("n_messages", "waited", "n_lost"), [(3, 2, 0), (2, 2, 3), (3, 6, 3), (None, 2, 3)]
)
def test_waiting_in_a_long_queue_is_not_being_lost(
    n_messages: int | None,
    waited: int,
    n_lost: int,
    alice: User,
    queued: list[tuple[str, str]],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`waited` is how often the time after which a task seems lost has passed."""
    since = timezone.now() - timedelta(seconds=waited * settings.REQUEUE_SECONDS)
    add_rows(alice, 3, queued_at=since)
    if n_messages is not None:
        monkeypatch.setattr(queues, "lengths", lambda: {queues.BULK: n_messages})
    assert overdue.requeue() == len(queued) == n_lost


def test_what_was_never_queued_does_not_wait(alice: User) -> None:
    ids = add_rows(alice, 2, queued_at=None)
    assert sorted(Upload.objects.take_overdue(patience=5)) == sorted(ids)
