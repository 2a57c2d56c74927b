"""Heat maps wait in a line of their own: they take seconds, and dozens may be asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import User
from recognition import tasks
from recognition.jobs import queues
from recognition.models import Prediction, Upload
from recognition.uploads import heat_maps
from recognition.uploads.actions import create_upload
from tests.support import pictures
from tests.support.factories import add_face
from tests.support.own_redis import running_redis


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Path) -> None:
    """What other tests stored is not counted."""
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker may be called, and does not come."""
    monkeypatch.setattr(tasks.explain_face, "apply_async", lambda _arguments, countdown=0: None)


def put_in_line(face: Prediction) -> None:
    Prediction.objects.filter(pk=face.pk).update(heat_map_asked_at=timezone.now())


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The faces that were drawn, in order; it takes no time."""
    pks: list[int] = []

    def draw(prediction_id: int) -> None:
        pks.append(prediction_id)
        Prediction.objects.filter(pk=prediction_id).update(heat_map="photos/a.png")

    monkeypatch.setattr(heat_maps, "draw", draw)
    return pks


def faces_of(owner: User, count: int) -> list[Prediction]:
    photo = create_upload(owner, SimpleUploadedFile("a.jpg", pictures.face_jpeg()))
    Upload.objects.filter(pk=photo.pk).update(status=Upload.Status.DONE)
    return [add_face(photo, index=index) for index in range(count)]


@pytest.mark.usefixtures("asked")
def test_one_persons_maps_are_drawn_in_turn_with_anothers(
    alice: User, bob: User, drawn: list[int]
) -> None:
    many, few = faces_of(alice, 5), faces_of(bob, 2)
    for face in (*many, *few):
        assert heat_maps.ask(face)
    while heat_maps.draw_next():
        pass
    assert [pk in {face.pk for face in few} for pk in drawn] == [
        False, True, False, True, False, False, False,
    ]  # fmt: skip
    assert sorted(drawn) == sorted(face.pk for face in (*many, *few))


@pytest.mark.usefixtures("asked")
def test_so_many_of_one_person_wait(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heat_maps, "MOST_WAITING", 3)
    faces = faces_of(alice, 4)
    assert [heat_maps.ask(face) for face in faces] == [True, True, True, False]
    assert heat_maps.ask(faces[0]), "it waits already"
    assert heat_maps.ask(faces_of(bob, 1)[0])
    assert heat_maps.waiting().count() == 4


@pytest.fixture
def queue(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A real Redis; notes after how many seconds a worker is called."""
    delays: list[float] = []

    def call(_arguments: tuple[()], countdown: float = 0) -> None:
        delays.append(countdown)

    monkeypatch.setattr(tasks.explain_face, "apply_async", call)
    with running_redis(tmp_path) as socket:
        settings.REDIS_URL = f"unix://{socket}"
        yield delays


@pytest.mark.parametrize("others_wait", [True, False])
def test_one_is_drawn_at_a_time_and_one_worker_is_called(
    others_wait: bool, alice: User, queue: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people's maps kept all workers from batches, exports and videos."""
    monkeypatch.setattr(queues, "lengths", lambda: {queues.BULK: int(others_wait)})
    faces = faces_of(alice, 3)
    for face in faces:
        assert heat_maps.ask(face)
    assert queue == [0]
    beside: list[bool] = []

    def draw(prediction_id: int) -> None:
        beside.append(heat_maps.draw_next())
        time.sleep(0.1)

    monkeypatch.setattr(heat_maps, "draw", draw)
    tasks.explain_face.apply(throw=True)
    assert beside == [False], "another worker does something else"
    assert heat_maps.waiting().count() == 2
    # For as long as it took, what others wait for comes first.
    assert [delay >= 0.1 for delay in queue] == [False, others_wait]
    if others_wait:
        # Also where somebody has asked meanwhile, and a worker comes at once.
        tasks.explain_face.apply(throw=True)
        assert heat_maps.waiting().count() == 2
        assert 0 < queue.pop() <= queue[-1]
    for left in (1, 0):
        time.sleep(0.5 if others_wait else 0)
        tasks.explain_face.apply(throw=True)
        assert heat_maps.waiting().count() == left
    assert len(queue) == 3


def test_the_sweep_calls_for_what_still_waits(alice: User, queue: list[float]) -> None:
    """A worker that dies takes the message with it, and Redis may have been emptied."""
    tasks.sweep_uploads()
    assert queue == []
    put_in_line(faces_of(alice, 1)[0])
    tasks.sweep_uploads()
    tasks.sweep_uploads()
    assert queue == [0]


def test_photos_that_others_wait_for_come_before_it(
    alice: User, bob: User, face_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty maps of one person, two seconds each, kept everybody's photos waiting."""
    photo = create_upload(bob, SimpleUploadedFile("a.jpg", face_jpeg))
    seen: list[str] = []

    def draw(prediction_id: int) -> None:
        photo.refresh_from_db()
        seen.append(photo.status)

    monkeypatch.setattr(heat_maps, "draw", draw)
    put_in_line(faces_of(alice, 1)[0])
    tasks.explain_face.apply(throw=True)
    assert seen == ["done"]
