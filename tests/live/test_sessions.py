"""The pages of recorded sessions: for their owner alone."""

from __future__ import annotations

import csv
import io
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent, User
from recognition.live import recordings
from recognition.models import Recording
from recognition.series.storing import read
from recognition.vision.live import LiveFrame
from recognition.vision.tracking import TrackedFace
from recognition.vision.types import BoundingBox


@pytest.fixture
def session(alice: User) -> Recording:
    now = timezone.now()
    return Recording.objects.create(
        owner=alice,
        started_at=now - timedelta(seconds=90),
        ended_at=now,
        samples=[[1, "happy", 0.0, 60.0, 0.9], [1, "sad", 60.0, 80.0, 0.6], [2, "sad", 1, 2, 0.5]],
    )


def test_the_page_shows_chart_shares_and_table(alice_client: Client, session: Recording) -> None:
    page = alice_client.get(session.get_absolute_url()).content.decode()
    assert "1:30 · 2 faces" in page
    assert page.count('<figure class="timeline') == 2
    assert page.count('<rect class="timeline-bar emotion-happy"') == 1
    assert page.count('<rect class="timeline-bar emotion-sad"') == 2
    assert "74%" in page  # 60 of 81 seconds.
    assert page.count("<tr><td>") == 3


def test_labels_that_no_face_had_are_told_where_the_model_had_them(
    alice_client: Client, session: Recording
) -> None:
    def says_other() -> list[bool]:
        paths = (session.get_absolute_url(), "/live/sessions/")
        return [">Other<" in alice_client.get(path).text for path in paths]

    assert says_other() == [False, False]
    Recording.objects.update(labels=["happy", "sad", "surprise", "neutral", "other"])
    assert says_other() == [True, True]


def test_a_session_without_faces_says_so(alice_client: Client, session: Recording) -> None:
    Recording.objects.update(samples=[])
    for address, sentence in {
        session.get_absolute_url(): "No faces appeared in this session.",
        "/live/sessions/": "No faces",
    }.items():
        assert f">{sentence}" in alice_client.get(address).content.decode()


def test_the_csv_has_every_stretch(alice_client: Client, session: Recording) -> None:
    response = alice_client.get(reverse("export_live_session", args=[session.pk]))
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [(row["face"], row["label"], row["start"], row["end"]) for row in rows] == [
        ("1", "happy", "0.00", "60.00"),
        ("2", "sad", "1.00", "2.00"),
        ("1", "sad", "60.00", "80.00"),
    ]


def test_a_download_is_in_the_activity_once_an_hour(
    alice_client: Client, bob_client: Client, session: Recording
) -> None:
    paths = [
        reverse("export_live_session", args=[session.pk]),
        reverse("download_recording", args=[session.pk, "csv"]),
    ]
    for path in paths:
        assert alice_client.head(path).status_code == 200
        assert bob_client.get(path).status_code == 404
    downloads = AuditEvent.objects.filter(action="recording_downloaded")
    assert not downloads.exists()
    for path in paths * 2:
        assert alice_client.get(path).status_code == 200
    assert [event.details["file"] for event in downloads.order_by("id")] == [
        "live-session.csv", "recording.csv",
    ]  # fmt: skip
    page = alice_client.get("/accounts/activity/").text
    assert f"A recording was downloaded ({str(session.pk)[:8]})" in page
    assert "recording.csv" in page
    downloads.update(at=timezone.now() - audit.TOGETHER)
    alice_client.get(paths[0])
    assert downloads.count() == 3


def test_deleting_is_for_good(alice_client: Client, session: Recording) -> None:
    response = alice_client.post(reverse("delete_live_session", args=[session.pk]), follow=True)
    assert "Session deleted." in response.content.decode()
    assert not Recording.objects.exists()


def test_staff_sees_whose_and_when_in_the_administration(session: Recording, db: None) -> None:
    User.objects.create_superuser("root@example.org", "root-password")
    client = Client()
    client.force_login(User.objects.get(email="root@example.org"))
    page = client.get(f"/admin/recognition/recording/{session.pk}/change/").content.decode()
    assert "alice@example.org" in page
    assert "happy" not in page


def seen(label: str) -> LiveFrame:
    face = TrackedFace(1, BoundingBox(0, 0, 9, 9), label, {label: 0.9})
    return LiveFrame(640, 480, (face,))


def test_a_lost_connection_goes_on_with_its_session(alice: User, bob: User) -> None:
    first = recordings.begin(alice.pk, "vgg16-test")
    began = first._began
    first.add(seen("happy"), began, 1)
    first.add(seen("happy"), began + 0.5, 2)
    first.save(ends=True)
    second = recordings.begin(alice.pk, "vgg16-test", first.recording.pk)
    second.add(seen("sad"), second._began, 1)
    second.save(ends=True)
    row = Recording.objects.get()
    assert [stretch[1] for stretch in row.samples] == ["happy", "sad"]
    others = recordings.begin(bob.pk, "vgg16-test", first.recording.pk)
    assert others.recording.pk != first.recording.pk


def test_stretches_are_written_where_there_are_more(alice: User) -> None:
    """There may be 20,000, and somebody may go on with a recording again and again."""
    first = recordings.begin(alice.pk, "vgg16-test")
    first.add(seen("happy"), first._began, 1)
    with CaptureQueriesContext(connection) as queries:
        first.save(ends=True)
        first.save(ends=True)
        recordings.begin(alice.pk, "vgg16-test", first.recording.pk).save(ends=True)
    updates = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    assert len([sql for sql in updates if '"ended_at"' in sql]) == 3
    assert len([sql for sql in updates if '"samples"' in sql]) == 1


def test_an_old_session_is_not_gone_on_with(session: Recording) -> None:
    Recording.objects.update(ended_at=timezone.now() - timedelta(hours=1))
    assert recordings.begin(session.owner_id, "", session.pk).recording.pk != session.pk


def test_saving_does_not_bring_a_deleted_session_back(alice: User) -> None:
    recording = recordings.begin(alice.pk, "vgg16-test")
    Recording.objects.all().delete()
    recording.add(seen("happy"), recording._began, 1)
    recording.save(ends=True)
    assert not Recording.objects.exists()


def test_a_recording_is_full_after_so_many_stretches_or_hours(
    session: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    # Three were recorded before the connection was lost.
    monkeypatch.setattr(recordings, "MAXIMUM_STRETCHES", 5)
    recording = recordings.Recorder(session)
    for index, label in enumerate(("happy", "sad")):
        assert not recording.is_full
        face = TrackedFace(1, BoundingBox(0, 0, 9, 9), label, {label: 0.8})
        recording.add(LiveFrame(64, 48, (face,)), now + index / 10, index + 1)
    assert recording.is_full
    session.started_at -= timedelta(hours=2)
    session.samples = []
    assert recordings.Recorder(session).is_full


def test_a_recording_is_full_after_so_many_samples(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "MAXIMUM_SAMPLES", 2)
    recording = recordings.begin(alice.pk, "vgg16-test")
    for index in range(2):
        assert not recording.is_full
        recording.add(seen("happy"), recording._began + index / 5, index + 1)
    assert recording.is_full


def test_a_recording_has_ten_samples_a_second_and_says_why_there_are_none(alice: User) -> None:
    recorder = recordings.begin(alice.pk, "vgg16-test")
    began = recorder._began
    nothing = LiveFrame(640, 480, ())
    frames = [(index / 30, seen("happy")) for index in range(60)]  # 30 a second, for two seconds.
    frames += [(2.0, nothing), (2.5, nothing), (3.0, seen("sad"))]
    for number, (second, frame) in enumerate(frames, start=1):
        recorder.add(frame, began + second, number)
    recorder.add(seen("sad"), began + 5, 80)  # Others were sent, and lost.
    recorder.add(seen("sad"), began + 8, 81)  # None was sent.
    recorder.save(ends=True)
    recording = Recording.objects.get()
    parts = list(read(recording))
    times = [sample.time_ms for samples, _gaps in parts for sample in samples]
    assert len(times) == len(set(times)) == 20 + 3
    assert recording.n_frames == 20 + 2 + 3
    gaps = [gap for _samples, found in parts for gap in found]
    begin = times[0]
    assert [(round((g.end_ms - g.start_ms) / 100), g.reason.code) for g in gaps] == [
        (10, "no_face"), (20, "dropped"), (30, "paused"),
    ]  # fmt: skip
    assert begin < 100
