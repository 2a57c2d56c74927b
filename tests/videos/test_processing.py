"""A video's way to its recording, whatever happens to its slices."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone, translation

from accounts.models import AuditEvent, User
from recognition import quotas
from recognition.live import recordings
from recognition.models import Recording, Video, Webhook, WebhookDelivery
from recognition.series import deleting, storing, timeline
from recognition.uploads import waiting
from recognition.videos import actions, processing
from recognition.videos.progress import Progress
from recognition.vision.errors import VideoError
from tests.support.videos import Sending, face_mp4, make, pictures, sound_only


def look_at_all(video: Video, *, seconds: float = 600.0) -> Video:
    """Slice after slice, as messages would have it done."""
    for _slice in range(200):
        video.refresh_from_db()
        if video.is_finished:
            return video
        assert processing.run_slice(str(video.pk), seconds=seconds)
    raise AssertionError("it does not come to its end")


def seen(recording: Recording) -> tuple[list[Any], list[Any], list[Any]]:
    """All of a recording: samples, gaps and stretches."""
    recording.refresh_from_db()
    parts = list(storing.read(recording))
    samples = [sample for some, _gaps in parts for sample in some]
    return samples, [gap for _some, gaps in parts for gap in gaps], recording.samples


def test_a_video_becomes_a_recording(send: Sending) -> None:
    video = look_at_all(send())
    assert (video.status, video.error_code, video.position_ms) == ("done", "", 4900)
    assert video.duration_ms == 5000
    recording = video.recording
    samples, gaps, stretches = seen(recording)
    assert (recording.source, recording.n_frames, recording.seconds) == ("video", 50, 4.9)
    assert recording.n_samples == len(samples)
    assert {sample.time_ms for sample in samples} < set(range(0, 5000, 100))
    assert {sample.face for sample in samples} == {1}
    (away,) = gaps
    assert (away.reason.code, away.end_ms - away.start_ms > 1000) == ("no_face", True)
    assert {stretch[1] for stretch in stretches} == {"happy"}
    assert recording.model_version


def test_its_file_is_deleted_when_it_is_done(
    send: Sending, alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    video = send()
    name = str(video.file.name)
    assert default_storage.exists(name)
    assert quotas.stored_bytes(alice).used == video.byte_size + video.recording.stored_bytes
    with django_capture_on_commit_callbacks(execute=True):
        video = look_at_all(video)
    assert (video.file.name, video.stored_bytes, video.checkpoint) == ("", 0, None)
    assert not default_storage.exists(name)
    video.recording.refresh_from_db()
    series = sum(len(chunk.data) for chunk in video.recording.chunks.all())
    rows = timeline.ROW_BYTES + timeline.STRETCH_BYTES * len(video.recording.samples)
    assert quotas.stored_bytes(alice).used == video.recording.stored_bytes == series + rows


def test_slices_give_what_one_go_gives(send: Sending) -> None:
    """Each slice is a new process with a new tracker: what they know is in the checkpoint."""
    whole = seen(look_at_all(send(frames_per_second=5)).recording)
    video = look_at_all(send(frames_per_second=5), seconds=0.0)
    assert seen(video.recording) == whole
    assert video.recording.chunks.count() == 1


def test_without_full_pictures_in_between_slices_give_the_same(send: Sending) -> None:
    data = make(pictures(1.5), g="100000")
    whole = seen(look_at_all(send(data)).recording)
    assert seen(look_at_all(send(data), seconds=0.0).recording) == whole


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("place", ["extend", "save", "add"])
def test_whoever_is_killed_leaves_no_sample_lost_or_doubled(
    send: Sending, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Ten times, within a transaction or between two: the next one goes on from the checkpoint."""
    whole = seen(look_at_all(send()).recording)
    video = send()
    monkeypatch.setattr(processing, "SAVE_SECONDS", 0.0)
    owner = {"extend": type(Video.objects.all()), "save": storing.SeriesWriter, "add": Progress}
    original = getattr(owner[place], place)
    calls, kills = 0, 0

    def deadly(*arguments: Any, **options: Any) -> Any:
        nonlocal calls, kills
        if place == "extend" and "position_ms" not in options:
            return original(*arguments, **options)
        calls += 1
        if calls % 4 == 0 and kills < 10:
            kills += 1
            raise Killed
        return original(*arguments, **options)

    monkeypatch.setattr(owner[place], place, deadly)
    for _attempt in range(100):
        video.refresh_from_db()
        if video.is_finished:
            break
        try:
            processing.run_slice(str(video.pk))
        except Killed:
            # Its claim runs out.
            past = timezone.now() - timedelta(hours=1)
            Video.objects.filter(pk=video.pk).update(claimed_until=past)
    assert kills == 10
    assert video.status == "done"
    assert seen(video.recording) == whole


def test_one_that_kills_whoever_looks_at_it_is_given_up(
    send: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = send()

    def die(*arguments: object) -> None:
        raise Killed

    monkeypatch.setattr(Progress, "add", die)
    for _attempt in range(Video.maximum_attempts()):
        with pytest.raises(Killed):
            processing.run_slice(str(video.pk))
        past = timezone.now() - timedelta(hours=1)
        Video.objects.filter(pk=video.pk).update(claimed_until=past)
    assert not processing.run_slice(str(video.pk))
    video.refresh_from_db()
    assert (video.status, video.error_code, video.file.name) == ("failed", "gave_up", "")


def test_an_outage_of_minutes_costs_no_video(
    send: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails in a row waits longer each time; its file, which nobody else has, stays."""
    video = send()
    add = Progress.add

    def fail(*arguments: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(Progress, "add", fail)
    waits = []
    for _attempt in range(Video.maximum_attempts() - 1):
        before = timezone.now()
        assert not processing.run_slice(str(video.pk))
        after = timezone.now()
        video.refresh_from_db()
        assert (video.status, default_storage.exists(str(video.file.name))) == ("pending", True)
        (wait,) = [
            wait for wait in (3, 30, 120, 240)
            if before <= video.queued_at - timedelta(seconds=wait) <= after
        ]  # fmt: skip
        waits.append(wait)
    assert waits == [3, 30, 120, 240]
    monkeypatch.setattr(Progress, "add", add)
    assert look_at_all(video).status == "done"


@pytest.mark.parametrize(
    ("skipping", "somebody_waits", "position_ms"),
    [(20, False, 2000), (20, True, 2000), (0, False, 1000), (0, True, 0)],
)
def test_a_slice_looks_for_as_long_as_it_skipped(
    send: Sending,
    monkeypatch: pytest.MonkeyPatch,
    skipping: int,
    somebody_waits: bool,
    position_ms: int,
) -> None:
    """On a clock on which coming to the first frame takes so many seconds, and each one more 1."""
    video = send()
    seconds = 0.0
    original = Progress.add

    def add(progress: Progress, watched: Any) -> None:
        nonlocal seconds
        seconds += skipping if progress.after_ms is None else 1
        original(progress, watched)

    monkeypatch.setattr(Progress, "add", add)
    monkeypatch.setattr(processing, "time", SimpleNamespace(monotonic=lambda: 1000 + seconds))
    monkeypatch.setattr(processing, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(waiting, "somebody_waits", lambda: somebody_waits)
    assert processing.run_slice(str(video.pk))
    video.refresh_from_db()
    assert (video.status, video.position_ms) == ("pending", position_ms)


def test_one_that_takes_more_than_any_video_needs_fails(
    send: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = send()
    spent = []
    for _slice in range(2):
        assert processing.run_slice(str(video.pk), seconds=0.0)
        video.refresh_from_db()
        assert video.status == "pending"
        spent.append(video.checkpoint["processor_seconds"])
    assert 0 < spent[0] < spent[1]
    for limit in ("FIRST_SECONDS", "SECONDS_A_SECOND", "SECONDS_A_SAMPLE"):
        monkeypatch.setattr(processing, limit, 0.0)
    assert processing.run_slice(str(video.pk), seconds=0.0)
    video.refresh_from_db()
    assert (video.status, video.error_code, video.file.name) == ("failed", "video_too_costly", "")
    assert video.recording.n_samples > 0


def test_one_whose_results_fill_its_owner_s_storage_fails(send: Sending, settings: Any) -> None:
    """Its own file is not counted, for it goes; what was seen so far stays."""
    video = send()
    settings.QUOTA_BYTES = video.byte_size + video.recording.stored_bytes
    for _slice in range(3):
        assert processing.run_slice(str(video.pk), seconds=0.0)
    video.refresh_from_db()
    assert video.status == "pending"
    settings.QUOTA_BYTES = video.recording.stored_bytes
    assert processing.run_slice(str(video.pk), seconds=0.0)
    video.refresh_from_db()
    assert (video.status, video.error_code, video.file.name) == ("failed", "quota_exceeded", "")
    assert video.recording.n_samples == 4
    with translation.override("de"):
        assert video.reason == "Vor dem Ende des Videos war Ihr Speicher voll."


def test_skipping_counts_as_work(send: Sending) -> None:
    video = Video.objects.claim(send().pk)
    assert video is not None
    Progress(video, video.recording).keep()
    video.refresh_from_db()
    assert video.work_seconds > 0


def test_one_that_is_cut_off_keeps_what_was_seen(send: Sending) -> None:
    video = look_at_all(send(make(pictures(3.0), "matroska")[:-9000]))
    assert video.status == "done"
    assert 0 < video.recording.n_samples < 30


@pytest.mark.parametrize(
    ("data", "code"),
    [(face_mp4()[:10_000], "damaged"), (sound_only(), "no_picture")],
)
def test_why_one_fails_is_told(send: Sending, data: bytes, code: str) -> None:
    video = look_at_all(send(data))
    assert (video.status, video.error_code, video.file.name) == ("failed", code, "")
    assert video.reason.endswith(".")


def test_one_that_is_too_long_says_so_in_the_reader_s_language(
    send: Sending, settings: Any
) -> None:
    settings.VIDEO_MAXIMUM_MINUTES = 0
    video = look_at_all(send())
    assert video.error_code == "too_long"
    with translation.override("de"):
        assert video.reason == "Das Video ist länger als 0 Minuten."


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty"), (b"#EXTM3U\nfile.ts", "format_not_accepted")]
)
def test_what_is_no_video_is_not_taken(send: Sending, data: bytes, code: str) -> None:
    with pytest.raises(VideoError) as caught:
        send(data)
    assert caught.value.code == code
    assert not Video.objects.exists()
    assert not Recording.objects.exists()


def test_one_that_is_too_large_or_too_much_is_not_taken(
    send: Sending, settings: Any, film: bytes
) -> None:
    settings.VIDEO_MAXIMUM_BYTES = len(film) - 1
    with pytest.raises(VideoError) as caught:
        send()
    assert caught.value.code == "too_large"
    settings.VIDEO_MAXIMUM_BYTES = settings.QUOTA_BYTES = len(film)
    send()
    with pytest.raises(quotas.QuotaExceeded):
        send()
    settings.QUOTA_BYTES, settings.QUOTA_UPLOADS_A_DAY = None, 1
    with pytest.raises(quotas.QuotaExceeded):
        send()
    assert Video.objects.count() == 1


def test_cancelling_stops_it_and_keeps_what_was_seen(
    send: Sending, alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    video = send()
    name = str(video.file.name)
    for _slice in range(5):
        assert processing.run_slice(str(video.pk), seconds=0.0)
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.cancel(video, alice)
    assert not actions.cancel(video, alice)
    assert not processing.run_slice(str(video.pk))
    video.refresh_from_db()
    assert (video.status, video.recording.n_samples) == ("cancelled", 5)
    assert not default_storage.exists(name)
    actions_told = AuditEvent.objects.filter(user=alice).values_list("action", flat=True)
    assert {"video_created", "video_cancelled"} <= set(actions_told)


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_a_slice_that_runs_meanwhile_writes_nothing_more(
    send: Sending,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    django_capture_on_commit_callbacks: Any,
) -> None:
    video = send()
    original = Progress.add

    def add(progress: Progress, watched: Any) -> None:
        original(progress, watched)
        if watched.time_ms == 1000:
            if how == "cancel":
                actions.cancel(video, alice)
            else:
                deleting.delete(video.recording, alice)

    monkeypatch.setattr(Progress, "add", add)
    with django_capture_on_commit_callbacks(execute=True):
        assert not processing.run_slice(str(video.pk))
    if how == "cancel":
        video.refresh_from_db()
        assert (video.status, video.recording.n_samples) == ("cancelled", 0)
    else:
        assert not Video.objects.exists()
        assert not Recording.objects.exists()
        assert not default_storage.exists(str(video.file.name))


def test_webhooks_learn_of_its_end(send: Sending, alice: User) -> None:
    Webhook.objects.create(owner=alice, url="https://a.example/", secret="whsec_x")
    video = look_at_all(send(face_mp4(0.5)))
    delivery = WebhookDelivery.objects.get()
    assert delivery.event == "video.finished"
    told = delivery.payload["video"]
    assert (told["id"], told["status"], told["error"]) == (str(video.pk), "done", None)
    assert told["recording"] == str(video.recording_id)
    assert "interview" not in str(delivery.payload)


def test_of_one_person_s_videos_one_is_looked_at_at_a_time(send: Sending) -> None:
    first, second = send(), send()
    assert Video.objects.claim(first.pk) is not None
    assert Video.objects.claim(second.pk) is None


def test_the_next_one_is_queued_when_one_has_ended(
    send: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = send(face_mp4(0.5)), send(face_mp4(0.5))
    queued: list[Any] = []
    monkeypatch.setattr(type(Video.objects.all()), "enqueue", lambda _rows, pk: queued.append(pk))
    look_at_all(first)
    assert queued == [second.pk]


def test_a_video_cannot_be_gone_on_with_from_the_live_page(send: Sending, alice: User) -> None:
    recording = look_at_all(send(face_mp4(0.5))).recording
    assert recordings.begin(alice.pk, "v", recording.pk).recording != recording


def test_frames_are_looked_at_as_often_as_asked_for(send: Sending) -> None:
    video = look_at_all(send(frames_per_second=2))
    assert video.recording.n_frames == 10


def test_nothing_is_stored_for_a_closed_account(alice: User, film: bytes) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(quotas.AccountClosed):
        actions.create_video(alice, SimpleUploadedFile("a.mp4", film))
    assert default_storage.listdir("videos")[1] == []
    assert not Recording.objects.exists()
