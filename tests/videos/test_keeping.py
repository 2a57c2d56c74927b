"""A video that its owner keeps: handed out whole and in parts, and to nobody else."""

from __future__ import annotations

import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from operations.ranges import PART_BYTES
from recognition import quotas
from recognition.models import DataExport, Recording, Video
from recognition.personal_data import export
from recognition.uploads.retention import FOR_EVER
from recognition.videos import actions, keeping, processing
from tests.support.videos import Sending, face_mp4, make, pictures

OnCommit = Any


def content(response: Any) -> bytes:
    return b"".join(response) if response.streaming else bytes(response.content)


@pytest.fixture
def kept(send: Sending, film: bytes, django_capture_on_commit_callbacks: OnCommit) -> Video:
    """A video that was looked at and stayed."""
    with django_capture_on_commit_callbacks(execute=True):
        video: Video = send(film, keep=True)
        assert processing.run_slice(str(video.pk), seconds=600)
    video.refresh_from_db()
    return video


def stored(owner: User, data: bytes, container: str) -> Video:
    """One that nobody looked at, as if it had been."""
    now = timezone.now()
    recording = Recording.objects.create(owner=owner, source="video", started_at=now, ended_at=now)
    video = Video(owner=owner, recording=recording, name="a film", container=container)
    video.status, video.byte_size = Video.Status.DONE, len(data)
    video.file.save("video", SimpleUploadedFile("video", data))
    return video


@pytest.fixture
def lent(alice: User, film: bytes) -> Video:
    """What is asked is how it is handed out."""
    return stored(alice, film, "mov")


def test_it_stays_with_its_size_and_counts_in_the_quota(kept: Video, alice: User) -> None:
    assert (kept.status, kept.is_kept, kept.checkpoint) == ("done", True, None)
    assert (kept.width, kept.height, kept.container) == (640, 480, "mov")
    assert default_storage.exists(str(kept.file.name))
    assert quotas.stored_bytes(alice).used == kept.byte_size + kept.recording.stored_bytes


def test_its_owner_gets_it_as_what_it_is_and_nothing_else(
    lent: Video, alice_client: Client, film: bytes
) -> None:
    for address in (reverse("video_file", args=[lent.pk]), f"/api/v1/videos/{lent.pk}/file/"):
        response = alice_client.get(address)
        assert (response.status_code, content(response) == film) == (200, True)
        assert response["Content-Type"] == "video/mp4"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response["Cross-Origin-Resource-Policy"] == "same-origin"
        assert response["Accept-Ranges"] == "bytes"
        assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
        name = f'filename="video-{lent.pk}.mp4"'
        assert response["Content-Disposition"] == f"inline; {name}"
        response = alice_client.get(f"{address}?download")
        assert response["Content-Disposition"] == f"attachment; {name}"


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ("bytes=0-", 0, None),
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=100-999999999", 100, None),
        ("bytes=-50", -50, None),
        ("bytes=-999999999", 0, None),
    ],
)
def test_a_part_of_it(
    lent: Video, alice_client: Client, film: bytes, asked: str, begin: int, end: int | None
) -> None:
    part = film[begin:end][:PART_BYTES]
    response = alice_client.get(reverse("video_file", args=[lent.pk]), headers={"Range": asked})
    assert (response.status_code, content(response) == part) == (206, True)
    first = begin % len(film)
    expected = f"bytes {first}-{first + len(part) - 1}/{len(film)}"
    assert response["Content-Range"] == expected
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=-0"])
def test_a_part_that_is_not_there(lent: Video, alice_client: Client, asked: str) -> None:
    response = alice_client.get(reverse("video_file", args=[lent.pk]), headers={"Range": asked})
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{lent.byte_size}"


@pytest.mark.parametrize(
    "asked",
    ["bytes=5-2", "bytes=-", "bytes=0-1,5-9", "lines=1-2", "bytes=x-", "bytes=1" + "0" * 30],
)
def test_what_is_no_range_gives_the_whole(
    lent: Video, alice_client: Client, film: bytes, asked: str
) -> None:
    response = alice_client.get(reverse("video_file", args=[lent.pk]), headers={"Range": asked})
    assert (response.status_code, content(response) == film) == (200, True)


def test_a_large_one_comes_in_parts_of_two_megabytes(alice: User, alice_client: Client) -> None:
    data = bytes(range(256)) * (3 * PART_BYTES // 2 // 256)
    video = stored(alice, data, "matroska")
    address, found = reverse("video_file", args=[video.pk]), b""
    while len(found) < len(data):
        response = alice_client.get(address, headers={"Range": f"bytes={len(found)}-"})
        assert (response.status_code, response["Content-Type"]) == (206, "video/webm")
        assert len(response.content) <= PART_BYTES
        found += response.content
    assert found == data


def test_nginx_may_send_it(lent: Video, alice_client: Client, settings: Any) -> None:
    settings.ACCEL_REDIRECT = "/protected/"
    address = reverse("video_file", args=[lent.pk])
    response = alice_client.get(address, headers={"Range": "bytes=0-1"})
    assert response["X-Accel-Redirect"] == f"/protected/{lent.file.name}"
    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Type"] == "video/mp4"


def test_what_is_still_looked_at_failed_or_was_stopped_is_not_lent(
    send: Sending, alice: User, alice_client: Client, django_capture_on_commit_callbacks: OnCommit
) -> None:
    waiting = send(keep=True)
    assert alice_client.get(reverse("video_file", args=[waiting.pk])).status_code == 410
    damaged = face_mp4()[:2000] + bytes(len(face_mp4()) - 2000)
    with django_capture_on_commit_callbacks(execute=True):
        failing = send(damaged, keep=True)
        processing.run_slice(str(failing.pk))
        stopped = send(keep=True)
        actions.cancel(stopped, alice)
    for video in (failing, stopped):
        name = str(video.file.name)
        video.refresh_from_db()
        assert not video.is_kept
        assert not default_storage.exists(name)
        assert alice_client.get(reverse("video_file", args=[video.pk])).status_code == 410


def test_a_page_in_disguise_is_never_served_as_one(
    send: Sending, alice_client: Client, django_capture_on_commit_callbacks: OnCommit
) -> None:
    """A film with a page behind it: the decoder takes it, so it is served, but as a film."""
    disguised = make(pictures(1.0)) + b"<html><script>alert(1)</script></html>"
    with django_capture_on_commit_callbacks(execute=True):
        video = send(disguised, keep=True)
        assert processing.run_slice(str(video.pk), seconds=600)
    response = alice_client.get(reverse("video_file", args=[video.pk]))
    assert (response.status_code, response["Content-Type"]) == (200, "video/mp4")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]


def test_nobody_else_gets_it(lent: Video, bob_client: Client, root_client: Client) -> None:
    for client in (bob_client, root_client):
        for address in (reverse("video_file", args=[lent.pk]), f"/api/v1/videos/{lent.pk}/file/"):
            assert client.get(address, headers={"Range": "bytes=0-9"}).status_code == 404


@pytest.mark.parametrize(
    ("keep", "prefers", "stays"),
    [
        (None, False, False),
        (None, True, True),
        (False, True, False),
        (True, False, True),
    ],
)
def test_who_says_nothing_gets_what_the_operator_prefers(
    send: Sending, settings: Any, keep: bool | None, prefers: bool, stays: bool
) -> None:
    settings.VIDEO_KEEP = prefers
    assert send(keep=keep).keep is stays


def test_by_page_and_by_api(alice_client: Client, film: bytes, settings: Any) -> None:
    def file() -> SimpleUploadedFile:
        return SimpleUploadedFile("interview.mp4", film, "video/mp4")

    settings.VIDEO_KEEP = True
    assert 'id="id_keep" checked' in alice_client.get(reverse("new_video")).text
    alice_client.post(reverse("new_video"), {"video": file()})  # The box was cleared.
    assert not Video.objects.latest("created_at").keep
    alice_client.post(reverse("new_video"), {"video": file(), "keep": "on"})
    assert Video.objects.latest("created_at").keep
    for body, expected in (({}, True), ({"keep": "false"}, False), ({"keep": "true"}, True)):
        answer = alice_client.post("/api/v1/videos/", {"video": file(), **body}).json()
        assert (answer["keep"], answer["links"]["file"]) == (expected, None)
    assert processing.run_slice(answer["id"], seconds=600)
    answer = alice_client.get(f"/api/v1/videos/{answer['id']}/").json()
    assert content(alice_client.get(answer["links"]["file"])) == film


def test_where_photos_are_not_kept_no_video_is(
    send: Sending, alice: User, alice_client: Client
) -> None:
    chosen = send(keep=True)
    alice.photo_retention_days = 0
    alice.save()
    assert not send(keep=True).keep
    assert 'id="id_keep"' not in alice_client.get(reverse("new_video")).text
    # One that was sent before goes at its end as well.
    assert processing.run_slice(str(chosen.pk), seconds=600)
    chosen.refresh_from_db()
    assert (chosen.status, chosen.is_kept, chosen.stored_bytes) == ("done", False, 0)


@pytest.mark.parametrize(
    ("days", "age", "goes"),
    [
        (7, 8, True),
        (7, 6, False),
        (FOR_EVER, 400, False),
        (None, 31, True),
        (None, 29, False),
    ],
)
def test_it_goes_when_its_time_is_over_and_its_results_stay(
    kept: Video, alice: User, settings: Any, django_capture_on_commit_callbacks: OnCommit,
    days: int | None, age: int, goes: bool,
) -> None:  # fmt: skip
    settings.RETENTION_DEFAULT_DAYS = 30
    User.objects.update(photo_retention_days=days)
    Video.objects.update(created_at=timezone.now() - timedelta(days=age))
    name = str(kept.file.name)
    with django_capture_on_commit_callbacks(execute=True):
        assert keeping.remove_due() == int(goes)
        assert keeping.remove_due() == 0
    kept.refresh_from_db()
    assert kept.is_kept is not goes
    assert default_storage.exists(name) is not goes
    assert kept.recording.n_samples


def test_its_owner_deletes_it_and_keeps_the_results(
    kept: Video, alice: User, alice_client: Client, django_capture_on_commit_callbacks: OnCommit
) -> None:
    name, page = str(kept.file.name), kept.recording.get_absolute_url()
    assert reverse("video_file", args=[kept.pk]) in alice_client.get(page).text
    with django_capture_on_commit_callbacks(execute=True):
        answer = alice_client.post(reverse("forget_video", args=[kept.pk]), follow=True)
    assert "The video has been deleted; its results are still here." in answer.text
    assert reverse("video_file", args=[kept.pk]) not in answer.text
    assert not default_storage.exists(name)
    assert quotas.stored_bytes(alice).used == kept.recording.stored_bytes
    event = AuditEvent.objects.get(action="video_deleted")
    assert (event.user_id, event.target) == (alice.pk, f"video:{kept.pk}")
    assert not actions.forget(kept, alice)
    assert AuditEvent.objects.filter(action="video_deleted").count() == 1
    # By API it is the same, also where there is nothing left.
    assert alice_client.delete(f"/api/v1/videos/{kept.pk}/file/").status_code == 204
    assert alice_client.get(f"/api/v1/videos/{kept.pk}/").json()["status"] == "done"


def test_it_is_in_the_export(kept: Video, alice: User, film: bytes) -> None:
    made = export.start(alice)
    assert export.build(str(made.pk))
    made = DataExport.objects.get()
    with zipfile.ZipFile(made.file.open("rb")) as archive:
        assert archive.read(f"videos/{kept.pk}.mp4") == film


def test_it_goes_with_its_recording(
    kept: Video, alice_client: Client, django_capture_on_commit_callbacks: OnCommit
) -> None:
    name = str(kept.file.name)
    with django_capture_on_commit_callbacks(execute=True):
        alice_client.post(reverse("delete_live_session", args=[kept.recording_id]))
    assert not Video.objects.exists()
    assert not default_storage.exists(name)


def test_boxes_come_in_parts(kept: Video, alice_client: Client) -> None:
    address = reverse("recording_boxes", args=[kept.recording_id])
    whole = alice_client.get(address).json()
    assert len(whole["samples"]) == kept.recording.n_samples
    assert whole["after_ms"] is None
    part = alice_client.get(address, {"after_ms": 999, "to_ms": 2000}).json()["samples"]
    assert part == [sample for sample in whole["samples"] if 1000 <= sample[0] < 2000]
    time_ms, face, x, y, width, height, label, uncertain, probability = part[0]
    assert (time_ms, face, whole["labels"][label], uncertain) == (1000, 1, "happy", False)
    assert 0 <= x < x + width <= 640
    assert 0 <= y < y + height <= 480
    assert 0.5 < probability <= 1
