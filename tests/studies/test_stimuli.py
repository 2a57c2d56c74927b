"""Files of stimuli: which are taken, how they are sent, what they count, and that they go."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django import Settings

from accounts.models import User
from recognition import quotas
from studies.models import Block, Study
from studies.planning import blocks as plan
from tests.support import studies as make
from tests.support.pictures import encode, meadow

MP4 = b"\0\0\0\x18ftypisom" + bytes(5000)
WEBM = (
    b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"
    + bytes(900)
)
MATROSKA = WEBM.replace(b"\x84webm", b"\x88matroska")
MP3 = b"\xff\xfb\x90\x64" + bytes(900)
OGG = b"OggS" + bytes(900)
WAV = b"RIFF\0\0\0\0WAVEfmt " + bytes(900)
M4A = b"\0\0\0\x18ftypM4A " + bytes(900)
HTML = b"<!doctype html><script>alert(1)</script>" + bytes(900)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def upload(client: Client, block: Block, data: bytes, name: str = "mine.mp4") -> Any:
    file = SimpleUploadedFile(name, data, content_type="text/html")
    return client.post("/studies/stimuli/", {"block": block.pk, "file": file}, follow=True)


def stored(study: Study) -> list[str]:
    try:
        return default_storage.listdir(f"studies/{study.pk}")[1]
    except FileNotFoundError:
        return []


def content(response: Any) -> bytes:
    return b"".join(response) if response.streaming else response.content


def address(block: Block) -> str:
    return f"/studies/{block.study_id}/blocks/{block.pk}/file/"


@pytest.mark.parametrize(
    ("kind", "data", "media_type"),
    [
        ("video", MP4, "video/mp4"), ("video", WEBM, "video/webm"), ("sound", MP3, "audio/mpeg"),
        ("sound", b"ID3" + bytes(900), "audio/mpeg"), ("sound", OGG, "audio/ogg"),
        ("sound", WAV, "audio/wav"), ("sound", M4A, "audio/mp4"),
    ],
)  # fmt: skip
def test_a_file_is_served_as_what_its_content_is(
    kind: str, data: bytes, media_type: str, alice: User, alice_client: Client
) -> None:
    block = make.block(make.ready_study(alice), kind)
    assert "The file is stored." in upload(alice_client, block, data, "page.html").text
    block.refresh_from_db()
    assert (block.media_type, block.stored_bytes) == (media_type, len(data))
    answer = alice_client.get(address(block))
    assert content(answer) == data
    assert answer["Content-Type"] == media_type
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Accept-Ranges"] == "bytes"
    # Nothing of the name that was sent.
    assert "page" not in str(block.file.name)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("video", HTML), ("video", SVG), ("video", MATROSKA), ("video", MP3), ("video", M4A),
        ("video", b""), ("video", b"\0\0\0\x18ftypqt  " + bytes(90)), ("sound", MP4),
        ("sound", HTML), ("sound", b"\xff\xfb\xf0\x64"), ("image", HTML), ("image", SVG),
        ("image", MP4), ("text", MP4),
    ],
)  # fmt: skip
def test_what_is_not_on_the_list_is_refused(
    kind: str, data: bytes, alice: User, alice_client: Client
) -> None:
    study = make.ready_study(alice)
    block = make.block(study, kind)
    assert "The file is stored." not in upload(alice_client, block, data).text
    block.refresh_from_db()
    assert not block.file
    assert stored(study) == []


def test_an_image_is_written_anew_without_its_metadata(alice: User, alice_client: Client) -> None:
    picture = meadow()
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", exif=exif)
    assert b"a secret place" in buffer.getvalue()
    block = make.block(make.ready_study(alice), "image")
    upload(alice_client, block, buffer.getvalue())
    answer = alice_client.get(address(block))
    data = content(answer)
    assert answer["Content-Type"] == "image/jpeg"
    assert b"a secret place" not in data
    assert Image.open(io.BytesIO(data)).size == picture.size


@pytest.mark.parametrize(
    ("header", "status", "part", "content_range"),
    [
        ("", 200, MP4, None),
        ("bytes=0-9", 206, MP4[:10], "bytes 0-9/5012"),
        ("bytes=5000-", 206, MP4[5000:], "bytes 5000-5011/5012"),
        ("bytes=-5", 206, MP4[-5:], "bytes 5007-5011/5012"),
        ("bytes=10-99999", 206, MP4[10:], "bytes 10-5011/5012"),
        ("bytes=5012-", 416, b"", "bytes */5012"),
        ("bytes=9-3", 200, MP4, None),
        ("bytes=0-1,4-5", 200, MP4, None), ("lines=1-2", 200, MP4, None),
        ("bytes=-", 200, MP4, None), ("bytes=" + "9" * 5000 + "-", 200, MP4, None),
    ],
)  # fmt: skip
def test_a_video_is_sent_from_wherever_the_player_is(
    header: str, status: int, part: bytes, content_range: str | None, alice: User,
    alice_client: Client,
) -> None:  # fmt: skip
    block = make.block(make.ready_study(alice), "video")
    upload(alice_client, block, MP4)
    answer = alice_client.get(address(block), headers={"Range": header} if header else {})
    assert (answer.status_code, content(answer)) == (status, part)
    assert answer.get("Content-Range") == content_range
    if status != 416:
        assert answer["Content-Length"] == str(len(part))


def test_another_file_takes_the_place_of_the_first(
    alice: User, alice_client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    study = make.ready_study(alice)
    block = make.block(study, "video")
    for data in (MP4, WEBM):
        with django_capture_on_commit_callbacks(execute=True):
            upload(alice_client, block, data)
    assert len(stored(study)) == 1
    assert content(alice_client.get(address(block))) == WEBM
    with django_capture_on_commit_callbacks(execute=True):
        plan.duplicate(block)
    assert len(stored(study)) == 2
    copy = study.blocks.last()
    assert copy is not None
    assert (copy.media_type, copy.stored_bytes) == ("video/webm", len(WEBM))
    with django_capture_on_commit_callbacks(execute=True):
        plan.delete(block)
    assert stored(study) == [str(copy.file.name).rsplit("/", 1)[1]]


def test_files_count_in_the_owners_quota(
    alice: User, bob: User, bob_client: Client, settings: Settings
) -> None:
    study = make.ready_study(alice)
    make.member(study, bob, "editor")
    block = make.block(study, "video")
    upload(bob_client, block, MP4)
    assert quotas.stored_bytes(alice).used == len(MP4)
    assert quotas.stored_bytes(bob).used == 0
    settings.QUOTA_BYTES = len(MP4) + 100
    other = make.block(study, "video")
    assert "of storage" in upload(bob_client, other, MP4).text
    assert len(stored(study)) == 1
    recording = make.with_series(make.participation(study)).recording
    assert recording is not None
    recording.refresh_from_db()
    assert quotas.stored_bytes(alice).used == len(MP4) + recording.stored_bytes


def test_a_file_and_a_study_have_their_limits(
    alice: User, alice_client: Client, settings: Settings
) -> None:
    study = make.ready_study(alice)
    first, second = make.block(study, "video"), make.block(study, "video")
    settings.STIMULUS_MAXIMUM_BYTES = len(MP4)
    settings.STUDY_MAXIMUM_BYTES = len(MP4) + 100
    assert "A file may have at most" in upload(alice_client, first, MP4 + b"x").text
    assert "The file is stored." in upload(alice_client, first, MP4).text
    assert "The files of a study may have" in upload(alice_client, second, MP4).text
    # In place of itself it still fits.
    assert "The file is stored." in upload(alice_client, first, MP4).text


def test_the_form_without_a_file_says_so(alice: User, alice_client: Client) -> None:
    block = make.block(make.ready_study(alice), "image")
    page = alice_client.post("/studies/stimuli/", {"block": block.pk}, follow=True)
    assert "Choose a file." in page.text
    for wrong in ({}, {"block": "x"}, {"block": "999999"}):
        assert alice_client.post("/studies/stimuli/", wrong).status_code == 404


def test_behind_a_web_server_its_name_goes_out(
    alice: User, alice_client: Client, settings: Settings
) -> None:
    block = make.block(make.ready_study(alice), "image")
    upload(alice_client, block, encode(meadow(), "JPEG"))
    block.refresh_from_db()
    settings.ACCEL_REDIRECT = "/protected/"
    answer = alice_client.get(address(block))
    assert answer["X-Accel-Redirect"] == f"/protected/{block.file.name}"
    assert answer["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("image", '<img class="study-stimulus"'), ("video", "<video"), ("sound", "<audio")],
)
def test_a_blocks_page_asks_for_its_file_and_shows_it(
    kind: str, shown: str, alice: User, alice_client: Client
) -> None:
    block = make.block(make.ready_study(alice), kind)
    path = f"/studies/{block.study_id}/blocks/{block.pk}/"
    page = alice_client.get(path).text
    assert f'<h1 class="h2 mb-1">{block.get_kind_display()}</h1>' in page
    assert f'<input type="hidden" name="block" value="{block.pk}">' in page
    assert "Choose a file</label>" in page
    assert "Save block" in page
    data = {"image": encode(meadow(), "JPEG"), "video": MP4, "sound": MP3}[kind]
    page = upload(alice_client, block, data).text
    assert f'src="{address(block)}"' in page.split(shown, 1)[1].split(">", 1)[0]
    assert "Another file</label>" in page
