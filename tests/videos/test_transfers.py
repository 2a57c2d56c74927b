"""A video that comes in parts: whatever is lost on the way, it comes in whole and once."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import User
from clients import visage_client
from clients.visage_client import Visage
from recognition import quotas
from recognition.models import TransferPart, Video, VideoTransfer
from recognition.personal_data import account_deletion
from recognition.videos import actions, transfers
from recognition.vision.errors import VideoError
from tests.support.videos import face_mp4

ADDRESS = "/api/v1/video-transfers/"


def announce(client: Client, size: int, **fields: Any) -> Any:
    body = {"name": "interview.mp4", "byte_size": size, **fields}
    return client.post(ADDRESS, body, content_type="application/json")


def put(client: Client, transfer: dict[str, Any], offset: int, data: bytes) -> Any:
    address = f"{ADDRESS}{transfer['id']}/part/?offset={offset}"
    return client.put(address, data, content_type="application/octet-stream")


def finish(client: Client, transfer: dict[str, Any]) -> Any:
    return client.post(f"{ADDRESS}{transfer['id']}/finish/")


def stored() -> list[str]:
    """All files of videos and their parts."""
    root = Path(default_storage.path("videos"))
    return [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "PART_BYTES", 10_000)
    monkeypatch.setattr(transfers, "LEAST_BYTES", 1000)


def test_it_arrives_in_parts_of_which_some_come_twice(
    alice: User, alice_client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    data, before = face_mp4(), set(stored())
    with django_capture_on_commit_callbacks(execute=True):
        transfer = announce(alice_client, len(data), frames_per_second=5, keep=True).json()
        assert (transfer["offset"], transfer["video"]) == (0, None)
        assert quotas.stored_bytes(alice).used == len(data)
        for offset in range(0, len(data), 10_000):
            part = data[offset : offset + 10_000]
            for _time in range(2):
                answer = put(alice_client, transfer, offset, part)
                assert answer.status_code == 200, answer.json()
                assert answer.json()["offset"] == offset + len(part)
        assert alice_client.get(f"{ADDRESS}{transfer['id']}/").json()["offset"] == len(data)
        made = finish(alice_client, transfer)
        again = finish(alice_client, transfer)
    assert (made.status_code, again.status_code) == (201, 201)
    assert made.json()["id"] == again.json()["id"]
    video = Video.objects.get()
    assert (video.name, video.frames_per_second, video.keep) == ("interview.mp4", 5, True)
    assert video.file.read() == data
    assert not TransferPart.objects.exists()
    assert len(set(stored()) - before) == 1
    assert quotas.stored_bytes(alice).used == len(data) + video.recording.stored_bytes


def test_what_does_not_follow_is_refused_and_leaves_nothing(alice_client: Client) -> None:
    data, before = face_mp4(), set(stored())
    transfer = announce(alice_client, len(data)).json()
    for offset, part, code in (
        (10_000, data[10_000:20_000], "wrong_offset"),
        (0, b"", "invalid_part"),
        (0, data[:10_001], "invalid_part"),
        (0, b"#EXTM3U file:///etc/passwd", "format_not_accepted"),
    ):
        assert put(alice_client, transfer, offset, part).json()["code"] == code
    address = f"{ADDRESS}{transfer['id']}/part/"
    for wrong in ("", "?offset=-1", "?offset=x"):
        answer = alice_client.put(address + wrong, b"x", content_type="application/octet-stream")
        assert answer.json()["code"] == "invalid"
    assert alice_client.put(address + "?offset=0", {}, content_type="text/plain").status_code == 415
    assert set(stored()) == before
    put(alice_client, transfer, 0, data[:10_000])
    assert finish(alice_client, transfer).json()["code"] == "incomplete"
    assert put(alice_client, transfer, 0, data[:5_000]).json()["code"] == "wrong_offset"
    small = announce(alice_client, 1000).json()
    assert put(alice_client, small, 0, data[:1001]).json()["code"] == "invalid_part"
    assert not Video.objects.exists()


@pytest.mark.parametrize(("size", "code"), [(0, "empty"), (10**12, "too_large"), (-1, "invalid")])
def test_what_is_announced_may_be_refused(alice_client: Client, size: int, code: str) -> None:
    assert announce(alice_client, size).json()["code"] == code
    assert not VideoTransfer.objects.exists()


def test_quotas_and_numbers_hold_from_the_start(alice: User, alice_client: Client) -> None:
    alice.quota_bytes = 50_000
    alice.save()
    assert announce(alice_client, 30_000).status_code == 201
    assert announce(alice_client, 30_000).json()["code"] == "quota_exceeded"
    for _transfer in range(transfers.MOST_AT_ONCE - 1):
        assert announce(alice_client, 100).status_code == 201
    assert announce(alice_client, 100).json()["code"] == "too_many_transfers"


def test_what_is_put_together_counts_all_the_while(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else one could announce more and more meanwhile, and keep all of it."""
    data = face_mp4()
    alice.quota_bytes = len(data)
    alice.save()
    transfer = announce(alice_client, len(data)).json()
    for offset in range(0, len(data), 10_000):
        put(alice_client, transfer, offset, data[offset : offset + 10_000])
    create = actions.create_video

    def announce_more(*arguments: Any, **options: Any) -> Video:
        assert announce(alice_client, 1_000).json()["code"] == "quota_exceeded"
        return create(*arguments, **options)

    monkeypatch.setattr(actions, "create_video", announce_more)
    answer = finish(alice_client, transfer)
    assert answer.status_code == 201, answer.json()
    video = Video.objects.get()
    assert quotas.stored_bytes(alice).used == len(data) + video.recording.stored_bytes


def test_who_was_taken_for_dead_finds_the_others_video(
    alice_client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    transfer, before = announce(alice_client, 9_000).json(), set(stored())
    put(alice_client, transfer, 0, face_mp4()[:9_000])
    row = VideoTransfer.objects.get()
    read, is_first = transfers._Joined.readinto, [True]

    def overtaken(self: Any, buffer: Any) -> int:
        if is_first:
            is_first.clear()
            VideoTransfer.objects.update(joined_at=None)
            transfers.finish(row)
        return read(self, buffer)

    with (
        pytest.MonkeyPatch.context() as patched,
        django_capture_on_commit_callbacks(execute=True),
    ):
        patched.setattr(transfers._Joined, "readinto", overtaken)
        assert transfers.finish(row) == Video.objects.get()
    assert len(set(stored()) - before) == 1


def test_a_failure_at_the_end_can_be_tried_again(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = face_mp4()[:9_000]
    transfer = announce(alice_client, len(data)).json()
    put(alice_client, transfer, 0, data)
    row = VideoTransfer.objects.get()

    def fail(*arguments: Any, **options: Any) -> Video:
        # Whoever else asks meanwhile is told to wait.
        with pytest.raises(transfers.Incomplete):
            transfers.finish(row)
        raise VideoError("no")

    with monkeypatch.context() as patched:
        patched.setattr(actions, "create_video", fail)
        with pytest.raises(VideoError):
            transfers.finish(row)
    assert quotas.stored_bytes(alice).used == len(data)
    assert transfers.finish(row) == Video.objects.get()


def test_whose_end_was_cut_off_is_ended_by_the_next_one(alice: User, alice_client: Client) -> None:
    transfer = announce(alice_client, 9_000).json()
    put(alice_client, transfer, 0, face_mp4()[:9_000])
    VideoTransfer.objects.update(joined_at=timezone.now())
    assert finish(alice_client, transfer).json()["code"] == "incomplete"
    VideoTransfer.objects.update(joined_at=timezone.now() - 2 * transfers.JOINED_WITHIN)
    assert finish(alice_client, transfer).status_code == 201


def in_parts(client: Client, data: bytes) -> VideoTransfer:
    transfer = announce(client, len(data)).json()
    for offset in range(0, len(data), 10_000):
        put(client, transfer, offset, data[offset : offset + 10_000])
    return VideoTransfer.objects.get()


def minutes_pass() -> None:
    VideoTransfer.objects.update(touched_at=timezone.now() - 2 * transfers.JOINED_WITHIN)


def test_an_end_that_takes_long_is_not_begun_twice(
    alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, original = in_parts(alice_client, face_mp4()), actions.create_video

    def slow(owner: User, file: Any, **options: Any) -> Video:
        for _part in range(2):
            minutes_pass()
            assert file.read(10_000)
            answer = finish(alice_client, {"id": row.pk})
            assert (answer.status_code, answer.json()["code"]) == (409, "incomplete")
        file.seek(0)
        return original(owner, file, **options)

    monkeypatch.setattr(actions, "create_video", slow)
    assert transfers.finish(row) == Video.objects.get()


def test_of_two_ends_one_makes_the_video(
    alice_client: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """Where nothing was read for minutes, the second request cannot know that the first lives."""
    row, original, before = in_parts(alice_client, face_mp4()), actions.create_video, set(stored())
    made = []

    def stalled(owner: User, file: Any, **options: Any) -> Video:
        video = original(owner, file, **options)
        if not made:
            minutes_pass()
            made.append(video)
            made.append(transfers.finish(row))
        return video

    monkeypatch.setattr(actions, "create_video", stalled)
    with django_capture_on_commit_callbacks(execute=True):
        assert transfers.finish(row) == made[1] == Video.objects.get()
    assert len(set(stored()) - before) == 1


@pytest.mark.parametrize("late", [False, True])
def test_one_that_is_deleted_while_it_ends_makes_no_video(
    late: bool, alice_client: Client, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    row, original, before = in_parts(alice_client, face_mp4()), actions.create_video, set(stored())

    def slow(owner: User, file: Any, **options: Any) -> Video:
        if late:
            file = UploadedFile(io.BytesIO(file.read()), file.name, size=file.size)
        assert alice_client.delete(f"{ADDRESS}{row.pk}/").status_code == 204
        return original(owner, file, **options)

    monkeypatch.setattr(actions, "create_video", slow)
    with django_capture_on_commit_callbacks(execute=True):
        assert finish(alice_client, {"id": row.pk}).status_code == 404
    assert not Video.objects.exists()
    assert set(stored()) < before, "its parts are gone"


def test_parts_go_when_they_are_deleted_forgotten_or_their_owner_goes(
    alice: User, alice_client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    before = set(stored())

    def begun() -> dict[str, Any]:
        transfer: dict[str, Any] = announce(alice_client, 20_000).json()
        assert put(alice_client, transfer, 0, face_mp4()[:9_000]).status_code == 200
        assert len(set(stored()) - before) == 1
        return transfer

    with django_capture_on_commit_callbacks(execute=True):
        assert alice_client.delete(f"{ADDRESS}{begun()['id']}/").status_code == 204
    assert set(stored()) == before
    with django_capture_on_commit_callbacks(execute=True):
        begun()
        assert transfers.forget_old() == 0
        VideoTransfer.objects.update(touched_at=timezone.now() - timedelta(hours=25))
        assert transfers.forget_old() == 1
    assert set(stored()) == before
    with django_capture_on_commit_callbacks(execute=True):
        begun()
        account_deletion.close(alice)
        assert account_deletion.delete(alice.pk)
    assert set(stored()) == before
    assert not VideoTransfer.objects.exists()


def test_joined_parts_read_as_one_file(alice: User, alice_client: Client) -> None:
    data = face_mp4()
    transfer = announce(alice_client, len(data)).json()
    for offset in range(0, len(data), 10_000):
        put(alice_client, transfer, offset, data[offset : offset + 10_000])
    joined = transfers._Joined(list(VideoTransfer.objects.get().parts.all()), lambda: None)
    assert joined.readall() == data
    for offset in (0, 9_990, 10_000, len(data) - 1, len(data)):
        assert joined.seek(offset) == offset
        assert joined.read(20) == data[offset : offset + 20][: 10_000 - offset % 10_000]


@pytest.mark.django_db(transaction=True)
def test_the_client_sends_it_over_a_line(
    live_server: Any, alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By HTTP, and with an answer that is lost on the way."""
    key = tokens.create(alice, "laptop", "write", 30)[1]
    path = tmp_path / "interview.mp4"
    path.write_bytes(face_mp4())
    with Visage(live_server.url, key) as visage:
        original, lost = visage._http.request, []

        def request(method: str, address: str, **options: Any) -> httpx.Response:
            answer = original(method, address, **options)
            if method == "PUT" and len(lost) < 2:
                lost.append(address)
                raise httpx.ReadError("lost")
            return answer

        monkeypatch.setattr(visage._http, "request", request)
        monkeypatch.setattr(visage_client, "FIRST_PAUSE", 0)
        video = visage.upload_video(path, frames_per_second=5, keep=True)
        assert visage.video(video["id"])["status"] == "pending"
    assert len(lost) == 2
    row = Video.objects.get()
    assert (row.name, row.frames_per_second, row.keep) == ("interview.mp4", 5, True)
    assert row.file.read() == face_mp4()
