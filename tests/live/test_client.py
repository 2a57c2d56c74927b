"""The example client: what it sends is a frame, whatever photo it is given."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

from clients.live_client import LONGEST_SIDE, frame_of
from recognition.vision.live import MAXIMUM_FRAME_PIXELS


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
