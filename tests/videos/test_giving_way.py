"""A video that takes a worker long to come to its place keeps nobody's photo waiting."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from recognition.models import Recording, Upload
from recognition.series import storing
from recognition.uploads.actions import create_upload
from recognition.videos import processing
from recognition.videos.progress import Progress
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
    monkeypatch.setattr(processing, "MANY_WAITING", 1)
    monkeypatch.setattr(processing, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(processing, "_somebody_waits", lambda: True)
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
    monkeypatch.setattr(processing, "_somebody_waits", lambda: False)
    video.refresh_from_db()
    assert video.status == "pending"
    assert processing.run_slice(str(video.pk), seconds=600)
    assert samples_of(video.recording) == samples_of(whole.recording)
