"""Whoever was served comes after others, also where no row tells of it any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from recognition.jobs import served
from recognition.models import Recording, Upload, Video
from tests.support.own_redis import running_redis

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def redis(settings: Any, tmp_path: Path) -> Iterator[None]:
    with running_redis(tmp_path) as socket:
        settings.REDIS_URL = f"unix://{socket}"
        yield


def photo(owner: User, **fields: Any) -> Upload:
    since = timezone.now() - timedelta(minutes=5)
    return Upload.objects.create(
        owner=owner, name="a.jpg", width=1, height=1, byte_size=1,
        **{"queued_at": since, **fields},
    )  # fmt: skip


def video(owner: User, minutes: int, **fields: Any) -> Video:
    now = timezone.now()
    recording = Recording.objects.create(owner=owner, source="video", started_at=now, ended_at=now)
    made = Video.objects.create(
        owner=owner, recording=recording, name="a", byte_size=1, queued_at=now, **fields
    )
    Video.objects.filter(pk=made.pk).update(created_at=now - timedelta(minutes=minutes))
    return made


def test_who_deletes_what_is_done_comes_before_nobody_by_it(alice: User, bob: User) -> None:
    photo(bob, status="done", finished_at=timezone.now() - timedelta(minutes=10))
    batch = [photo(alice) for _ in range(3)]
    mine = photo(bob)
    for _ in range(2):
        begun = Upload.objects.claim(str(batch[0].pk))
        assert begun is not None
        if begun.pk == mine.pk:
            return
        Upload.objects.finish(begun)
        Upload.objects.filter(pk=begun.pk).delete()
        batch = [one for one in batch if one.pk != begun.pk]
    pytest.fail("the other one's photo waits for ever")


def test_a_long_video_has_no_more_turns_than_a_second_clip(alice: User, bob: User) -> None:
    long, clip = video(alice, 30), video(bob, 0)
    video(bob, 20, status="done", finished_at=timezone.now() - timedelta(minutes=15))
    owners = []
    for turn in range(20):
        begun = Video.objects.claim(str((clip, long)[turn % 2].pk))
        assert begun is not None
        owners.append(begun.owner_id)
        # As after each slice.
        Video.objects.extend(begun, attempts=0, position_ms=turn)
        begun.attempts = 0
        Video.objects.release(begun)
    assert abs(owners.count(alice.pk) - owners.count(bob.pk)) <= 1


def test_nothing_is_known_while_redis_is_away(alice: User, settings: Any, tmp_path: Path) -> None:
    served.note("upload", alice.pk)
    assert set(served.last("upload", [alice.pk, 0])) == {alice.pk}
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    served.note("upload", alice.pk)
    assert served.last("upload", [alice.pk]) == {}
