"""A video that takes a worker long to come to its place keeps nobody waiting for long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from kombu import Connection
from pytest_django import Settings

from accounts.models import User
from recognition import tasks
from recognition.jobs import messages, queues
from recognition.models import Prediction, Recording, Upload
from recognition.series import storing
from recognition.uploads import heat_maps
from recognition.uploads import waiting as waiting_photos
from recognition.uploads.actions import create_upload
from recognition.videos import processing, progress
from recognition.videos.progress import Progress
from tests.support.own_redis import running_redis
from tests.support.videos import Sending, make, pictures


def samples_of(recording: Recording) -> list[Any]:
    recording.refresh_from_db()
    return [sample for some, _gaps in storing.read(recording) for sample in some]


def test_a_photo_that_somebody_waits_for_is_looked_at_within_a_slice(
    send: Sending, bob: User, face_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make(pictures(1.5), g="100000")
    whole, video = send(data), send(data)
    assert processing.run_slice(str(whole.pk), seconds=600)
    for _slice in range(3):
        assert processing.run_slice(str(video.pk), seconds=0.0)
    photo = create_upload(bob, SimpleUploadedFile("a.jpg", face_jpeg))
    batch = [create_upload(bob, SimpleUploadedFile("b.jpg", face_jpeg)) for _ in range(2)]
    Upload.objects.filter(pk__in=[one.pk for one in batch]).update(owner=video.owner)
    monkeypatch.setattr(waiting_photos, "MANY_WAITING", 1)
    monkeypatch.setattr(processing, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(waiting_photos, "somebody_waits", lambda: True)
    states: list[str] = []
    original = Progress.add

    def add(progress: Progress, watched: Any) -> None:
        photo.refresh_from_db()
        states.append(photo.status)
        original(progress, watched)

    monkeypatch.setattr(Progress, "add", add)
    assert processing.run_slice(str(video.pk), seconds=0.0)
    # Before the first frame of the slice was looked at; whoever sent many is not waited for.
    assert states[0] == "done"
    assert photo.predictions.count() == 1
    assert {Upload.objects.get(pk=one.pk).status for one in batch} == {"pending"}
    monkeypatch.setattr(waiting_photos, "somebody_waits", lambda: False)
    video.refresh_from_db()
    assert video.status == "pending"
    assert processing.run_slice(str(video.pk), seconds=600)
    assert samples_of(video.recording) == samples_of(whole.recording)


def test_a_batch_goes_on_within_a_slice(
    send: Sending, bob: User, face_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = send(make(pictures(1.5), g="100000"))
    for _slice in range(3):
        assert processing.run_slice(str(video.pk), seconds=0.0)
    batch = [create_upload(bob, SimpleUploadedFile("b.jpg", face_jpeg)) for _ in range(3)]
    monkeypatch.setattr(waiting_photos, "MANY_WAITING", 1)
    monkeypatch.setattr(Progress, "seconds_since_saved", 60.0)
    waiting: list[int] = []
    original = Progress.add

    def add(progress: Progress, watched: Any) -> None:
        waiting.append(Upload.objects.filter(status="pending").count())
        original(progress, watched)

    monkeypatch.setattr(Progress, "add", add)
    monkeypatch.setattr(processing, "SAVE_SECONDS", 30.0)
    assert processing.run_slice(str(video.pk), seconds=0.0)
    assert waiting[0] == 0
    assert Upload.objects.filter(pk__in=[one.pk for one in batch], status="done").count() == 3


def test_what_people_wait_for_takes_no_time_from_batches(
    send: Sending, bob: User, face_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = send(make(pictures(1.5), g="100000"))
    batch = [create_upload(bob, SimpleUploadedFile("b.jpg", face_jpeg)) for _ in range(2)]
    monkeypatch.setattr(waiting_photos, "MANY_WAITING", 1)
    monkeypatch.setattr(processing, "SAVE_SECONDS", 0.3)
    waits = [True]
    monkeypatch.setattr(waiting_photos, "somebody_waits", lambda: bool(waits and waits.pop()))

    def draw_slowly() -> bool:
        time.sleep(0.4)
        return True

    monkeypatch.setattr(heat_maps, "draw_next", draw_slowly)
    progress = Progress(video, video.recording)
    processing._let_people_in(progress)
    assert Upload.objects.filter(pk__in=[one.pk for one in batch], status="done").exists()


@pytest.fixture
def broker(settings: Settings, tmp_path: Path) -> Iterator[Connection]:
    """A queue in which messages wait, with no worker."""
    with running_redis(tmp_path) as socket, Connection(f"redis+socket://{socket}") as connection:
        settings.REDIS_URL = f"unix://{socket}"
        yield connection


@pytest.fixture
def face(bob: User, face_jpeg: bytes) -> Prediction:
    photo = create_upload(bob, SimpleUploadedFile("a.jpg", face_jpeg))
    tasks.process_upload.apply((str(photo.pk),), throw=True)
    return photo.predictions.get()


def test_a_heat_map_that_somebody_waits_for_is_drawn_within_a_slice(
    send: Sending, face: Prediction, broker: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make(pictures(1.5), g="100000")
    whole, video = send(data), send(data)
    assert processing.run_slice(str(whole.pk), seconds=600)
    for _slice in range(3):
        assert processing.run_slice(str(video.pk), seconds=0.0)
    Prediction.objects.filter(pk=face.pk).update(heat_map_asked_at=timezone.now())
    assert messages.send(heat_maps.TASK, connection=broker)
    assert queues.lengths()[queues.INTERACTIVE] == 1
    monkeypatch.setattr(processing, "SAVE_SECONDS", 0.0)
    names: list[str | None] = []
    original = Progress.add

    def add(progress: Progress, watched: Any) -> None:
        names.append(Prediction.objects.get(pk=face.pk).heat_map.name)
        original(progress, watched)

    monkeypatch.setattr(Progress, "add", add)
    assert processing.run_slice(str(video.pk), seconds=0.0)
    assert names[0]
    # No worker takes the message.
    monkeypatch.setattr(waiting_photos, "somebody_waits", lambda: False)
    assert processing.run_slice(str(video.pk), seconds=600)
    assert samples_of(video.recording) == samples_of(whole.recording)


def test_what_cannot_be_drawn_is_left_to_whoever_asked(
    face: Prediction, broker: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(prediction: Prediction) -> bytes:
        raise OSError("the storage is away")

    monkeypatch.setattr("recognition.model_registry.inference.draw_heat_map", fail)
    Prediction.objects.filter(pk=face.pk).update(heat_map_asked_at=timezone.now())
    assert heat_maps.draw_next()
    assert not heat_maps.draw_next()


def test_what_is_done_for_others_is_not_taken_from_the_video(
    send: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else people who ask for much let somebody's video seem too costly."""
    seconds = 100.0
    monkeypatch.setattr(progress, "_processor_seconds", lambda: seconds)
    video = send()
    made = Progress(video, video.recording)
    seconds += 3.0
    with made.others():
        seconds += 500.0
    seconds += 4.0
    assert made.processor_seconds == pytest.approx(7.0)
