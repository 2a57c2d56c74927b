"""Sweeps of photos go on in turns until nothing is left, one line of turns for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from operations.redis_client import connect
from recognition import tasks
from recognition.jobs import messages
from recognition.models import Upload
from recognition.uploads import tasks as upload_tasks
from recognition.uploads import trash, waiting
from tests.support.factories import make_upload
from tests.support.own_redis import running_redis


@pytest.fixture(autouse=True)
def own_redis(settings: Any, tmp_path: Path) -> Iterator[None]:
    with running_redis(tmp_path) as socket:
        settings.REDIS_URL = f"unix://{socket}"
        yield


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """The tasks that were sent, each with its delay."""
    found: list[tuple[str, float]] = []
    monkeypatch.setattr(messages, "send", lambda task, delay=0: found.append((task, delay)))
    return found


@pytest.fixture
def due(alice: User) -> int:
    """How many photos have been in the trash for long enough."""
    for number in range(20):
        make_upload(alice, sha256=f"{number:064}")
    return Upload.objects.update(trashed_at=timezone.now() - timedelta(days=400))


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Somebody always waits, so a turn ends after its first photos; lets a pause pass."""
    monkeypatch.setattr(waiting, "somebody_waits", lambda: True)
    monkeypatch.setattr(trash, "AT_ONCE", 1)

    def pause() -> None:
        with connect() as client:
            (key,) = client.keys("*goes-on*")
            assert 0 < client.ttl(key) < upload_tasks.PAUSE_SECONDS
            client.delete(key)

    return pause


@pytest.mark.django_db(transaction=True)
def test_the_trash_is_emptied_to_the_end_although_somebody_always_waits(
    due: int, sent: list[tuple[str, float]], one_at_a_time: Callable[[], None]
) -> None:
    for left in range(due - 1, 0, -1):
        tasks.sweep_trash()
        assert Upload.with_trash.count() == left
        assert sent.pop() == ("recognition.sweep_trash", upload_tasks.PAUSE_SECONDS)
        one_at_a_time()
    tasks.sweep_trash()
    assert not Upload.with_trash.exists()
    assert sent == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("due", "one_at_a_time")
def test_of_two_lines_one_ends(sent: list[tuple[str, float]]) -> None:
    tasks.sweep_trash()
    tasks.sweep_trash()
    assert len(sent) == 1
