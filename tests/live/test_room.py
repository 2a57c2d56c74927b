"""What a recording takes beside its series counts, and commands come no faster than people send."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from recognition import quotas
from recognition.live import consumer, frames_consumer, recordings
from recognition.models import Marker, Recording
from recognition.series import markers, marking, timeline
from recognition.vision.live import LiveFrame
from recognition.vision.tracking import TrackedFace
from recognition.vision.types import BoundingBox
from tests.support.series import recorded
from tests.support.sockets import open_live


def used(user: User) -> float:
    return quotas.stored_bytes(user).used


def test_an_empty_recording_takes_room(alice: User) -> None:
    """One a second would otherwise be as many rows as one likes."""
    recordings.begin(alice.pk, "vgg16-test").save(ends=True)
    assert used(alice) == timeline.ROW_BYTES
    User.objects.update(quota_bytes=timeline.ROW_BYTES)
    quotas.forget()
    with pytest.raises(quotas.QuotaExceeded):
        recordings.begin(alice.pk, "vgg16-test")


def test_stretches_take_room_once(alice: User) -> None:
    recorder = recordings.begin(alice.pk, "vgg16-test")
    for number in range(1, 11):
        face = TrackedFace(number, BoundingBox(0, 0, 9, 9), "happy", {"happy": 0.9})
        recorder.add(LiveFrame(640, 480, (face,)), recorder._began, number)
        recorder.save()
    recorder.save(ends=True)
    series = sum(len(chunk.data) for chunk in Recording.objects.get().chunks.all())
    assert used(alice) == timeline.ROW_BYTES + 10 * timeline.STRETCH_BYTES + series


def test_what_could_not_be_saved_is_saved_the_next_time(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = recordings.begin(alice.pk, "vgg16-test")
    for number in range(1, 6):
        face = TrackedFace(number, BoundingBox(0, 0, 9, 9), "happy", {"happy": 0.9})
        recorder.add(LiveFrame(640, 480, (face,)), recorder._began, number)
    with monkeypatch.context() as patch:

        def fail(*_args: object, **_fields: object) -> None:
            raise OperationalError

        patch.setattr(recorder._series, "save", fail)
        with pytest.raises(OperationalError):
            recorder.save()
    recorder.save()
    recording = Recording.objects.get()
    assert len(recording.samples) == 5
    series = sum(len(chunk.data) for chunk in recording.chunks.all())
    assert used(alice) == timeline.ROW_BYTES + 5 * timeline.STRETCH_BYTES + series


def test_many_stretches_are_not_written_each_time(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty thousand took the thread of all sockets 46 ms every three seconds."""
    monkeypatch.setattr(recordings, "STRETCHES_AT_ONCE", 5)
    monkeypatch.setattr(recordings, "SECONDS_A_THOUSAND", 10**9)
    recorder = recordings.begin(alice.pk, "vgg16-test")
    written = []
    for number in range(1, 11):
        face = TrackedFace(number, BoundingBox(0, 0, 9, 9), "happy", {"happy": 0.9})
        recorder.add(LiveFrame(640, 480, (face,)), recorder._began + number, number)
        recorder.save()
        recording = Recording.objects.get()
        written.append((len(recording.samples), recording.n_samples))
    assert written == [(min(n, 5), n) for n in range(1, 11)], "the series itself is"
    recorder.save(ends=True)
    recording = Recording.objects.get()
    assert len(recording.samples) == 10
    series = sum(len(chunk.data) for chunk in recording.chunks.all())
    assert used(alice) == timeline.ROW_BYTES + 10 * timeline.STRETCH_BYTES + series


def test_markers_take_room_until_they_are_deleted(alice: User, alice_client: Client) -> None:
    recording = recordings.begin(alice.pk, "vgg16-test").recording
    before = used(alice)
    form = {"seconds": "1", "name": "bell"}
    for _ in range(3):
        alice_client.post(reverse("add_marker", args=[recording.pk]), form)
    assert used(alice) == before + 3 * markers.STORED_BYTES
    for marker in Marker.objects.all():
        alice_client.post(reverse("delete_marker", args=[recording.pk, marker.pk]))
    assert used(alice) == before
    Marker.objects.create(recording=recording, time_ms=0, name="from before they counted")
    Recording.objects.update(stored_bytes=0)
    markers.remove(Marker.objects.get())
    assert used(alice) == 0


def test_a_full_storage_takes_no_marker(alice: User, alice_client: Client) -> None:
    recording = recordings.begin(alice.pk, "vgg16-test").recording
    User.objects.update(quota_bytes=timeline.ROW_BYTES + markers.STORED_BYTES)
    quotas.forget()
    assert marking.add(alice.pk, recording.pk, 0, "bell") is not None
    form = {"seconds": "1", "name": "bell"}
    page = alice_client.post(reverse("add_marker", args=[recording.pk]), form, follow=True)
    assert "of storage" in page.content.decode()
    assert Marker.objects.count() == 1


@pytest.mark.django_db(transaction=True)
async def test_commands_have_a_rate(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames_consumer, "COMMANDS", 0)
    monkeypatch.setattr(frames_consumer, "COMMANDS_AT_ONCE", 3)
    socket = await open_live(alice)
    answers = [await socket.receive_json_from(timeout=30)]
    for number in range(5):
        text = '{"type": "record"}' if not number else '{"type": "marker", "name": "bell"}'
        await socket.send_to(text_data=text)
        answers.append(await socket.receive_json_from(timeout=30))
    await socket.disconnect()
    kinds = [answer.get("code", answer["type"]) for answer in answers]
    assert kinds == ["ready", "recording", "marker", "marker", "too_soon", "too_soon"]
    assert await Marker.objects.acount() == 2


@pytest.mark.django_db(transaction=True)
async def test_a_recording_is_gone_on_with_so_often(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its stretches are read for it."""
    monkeypatch.setattr(consumer, "CONTINUED_RATE", "1/h")
    monkeypatch.setattr(consumer, "RECORDING_PAUSE_SECONDS", 0.0)
    socket = await open_live(alice)
    await socket.receive_json_from(timeout=30)
    sessions: list[str] = []
    for _ in range(3):
        await socket.send_json_to({"type": "record", "session": (sessions or [None])[0]})
        sessions.append((await socket.receive_json_from(timeout=30))["session"])
        await socket.send_json_to({"type": "stop"})
        await socket.receive_json_from(timeout=30)
    await socket.disconnect()
    assert sessions[1] == sessions[0]
    assert sessions[2] != sessions[0]


def test_markers_have_the_storage_counted_once(alice: User) -> None:
    recording = recorded(alice)
    with CaptureQueriesContext(connection) as queries:
        for number in range(5):
            marking.add(alice.pk, recording.pk, number, "here")
    counts = [query["sql"] for query in queries if "recognition_videotransfer" in query["sql"]]
    assert len(counts) == 1
    # What was taken meanwhile is known.
    alice.quota_bytes = quotas.stored_bytes(alice).used + 2 * markers.STORED_BYTES
    alice.save(update_fields=["quota_bytes"])
    quotas.forget()
    for number in range(2):
        marking.add(alice.pk, recording.pk, number, "there")
    with pytest.raises(quotas.QuotaExceeded):
        marking.add(alice.pk, recording.pk, 9, "there")


def test_a_marker_reads_no_stretches(alice: User) -> None:
    recording = recorded(alice)
    with CaptureQueriesContext(connection) as queries:
        assert marking.add(alice.pk, recording.pk, 9, "here")
    assert not [query for query in queries if '"samples"' in query["sql"]]
