"""The example client: what it sends is a frame, whatever photo it is given; what it records."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

from clients.live_client import LONGEST_SIDE, frame_of, main
from recognition.vision.live import MAXIMUM_FRAME_PIXELS
from tests.support.pictures import astronaut, encode
from tests.support.site import Site


def test_a_phones_photo_becomes_an_upright_frame_that_the_server_takes(tmp_path: Path) -> None:
    photo = tmp_path / "phone.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # Taken with the phone upright, stored lying on its side.
    Image.effect_noise((4000, 3000), 80).convert("RGB").save(photo, exif=exif, quality=95)
    assert photo.stat().st_size > settings.LIVE_MAXIMUM_BYTES
    frame = frame_of(photo)
    assert len(frame) <= settings.LIVE_MAXIMUM_BYTES
    width, height = Image.open(io.BytesIO(frame)).size
    assert (width, height) == (LONGEST_SIDE * 3 // 4, LONGEST_SIDE)
    assert width * height <= MAXIMUM_FRAME_PIXELS


def test_what_is_no_image_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("no image")
    with pytest.raises(OSError, match="cannot identify"):
        frame_of(tmp_path / "notes.jpg")


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    """Two photos, of which one is larger than a frame may be."""
    large = astronaut().resize((4000, 4000))
    (tmp_path / "first.jpg").write_bytes(encode(large, "JPEG", quality=98))
    (tmp_path / "second.png").write_bytes(encode(large.resize((640, 640)), "PNG"))
    assert (tmp_path / "first.jpg").stat().st_size > settings.LIVE_MAXIMUM_BYTES
    return [str(tmp_path / name) for name in ("first.jpg", "second.png")]


def test_it_records_what_it_shows_and_marks_where_each_file_begins(
    site: Site,
    photos: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    person = site.sign_up("lab@example.org").accept_camera()
    monkeypatch.setenv("VISAGE_TOKEN", person.make_token("live"))
    assert main([site.url, *photos, "--record", "--mark", "--seconds", "0.4"]) == 0
    *answers, recorded = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in answers] == photos
    for line in answers:
        assert json.loads(line.partition(" ")[2])["faces"][0]["label"] == "happy"
    page = recorded.removeprefix("recorded ")
    assert person.get(page).status_code == 200
    series = person.get(f"{page}series.json").json()
    assert [marker["name"] for marker in series["markers"]] == ["first", "second"]
    assert len(series["samples"]) >= 4
    assert {sample["label"] for sample in series["samples"]} == {"happy"}


def test_it_says_why_the_server_closed(
    site: Site,
    photos: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    person = site.sign_up("hasty@example.org")
    for key, reason in (
        (person.make_token("live"), "accept the notice"),
        (person.make_token("write"), "not one for live frames"),
        ("visage_" + "x" * 40, "wrong, deleted or expired"),
    ):
        monkeypatch.setenv("VISAGE_TOKEN", key)
        assert main([site.url, *photos]) == 1
        assert reason in capsys.readouterr().err
