"""Untrusted bytes: what is accepted, what is refused and why, and what is left of it."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

import numpy as np
import pytest
from PIL import Image

from recognition.vision import images
from recognition.vision.errors import (
    ImageDamaged,
    ImageEmpty,
    ImageError,
    ImageFormatNotAccepted,
    ImageTooLarge,
    ImageTooSmall,
)
from recognition.vision.headers import Header, read_header
from tests.support.corpus import STORED_FOR_ORIENTATION
from tests.support.corpus_structures import size_behind_the_end
from tests.support.pictures import astronaut, encode, face_jpeg


@cache
def portrait(image_format: str) -> bytes:
    """Some formats take a second to write."""
    return encode(astronaut(), image_format)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP"])
def test_accepted_formats_become_a_jpeg_of_the_same_size(image_format: str) -> None:
    clean = images.clean(portrait(image_format))
    assert (clean.width, clean.height) == (512, 512)
    photo = opened(clean.jpeg)
    assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (512, 512))
    thumbnail = opened(clean.thumbnail_jpeg)
    assert (thumbnail.format, thumbnail.size) == ("JPEG", (480, 480))


def test_a_phone_jpeg_with_a_second_frame_gives_the_first() -> None:
    second = Image.new("RGB", (512, 512), "black")
    data = encode(astronaut(), "MPO", save_all=True, append_images=[second])
    gray, size = images.decode_gray(data)
    assert size == (512, 512)
    assert gray.mean() > 50


def test_animations_give_their_first_frame() -> None:
    frames = [Image.new("RGB", (64, 64), color) for color in ("white", "black", "black")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert images.decode_gray(data)[0].min() == 255


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", ImageEmpty),
        (b"hello, I am text", ImageFormatNotAccepted),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ImageFormatNotAccepted),
        (b"%PDF-1.7\n", ImageFormatNotAccepted),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", ImageFormatNotAccepted),
        (encode(astronaut(), "TIFF"), ImageFormatNotAccepted),
        (encode(astronaut(), "ICO"), ImageFormatNotAccepted),
        (encode(Image.new("RGB", (200, 10))), ImageTooSmall),
        (b"\xff" * (images.MAXIMUM_BYTES + 1), ImageTooLarge),
    ],
)
def test_what_is_not_a_photo_is_refused_with_a_sentence(
    data: bytes, error: type[ImageError]
) -> None:
    with pytest.raises(error) as caught:
        images.clean(data)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP"])
@pytest.mark.parametrize("tenths", range(1, 10))
def test_truncated_files_are_refused(image_format: str, tenths: int) -> None:
    whole = portrait(image_format)
    with pytest.raises((ImageDamaged, ImageFormatNotAccepted)):
        images.clean(whole[: len(whole) * tenths // 10])


def png_claiming(width: int, height: int) -> bytes:
    """A small PNG whose header promises more pixels than memory holds."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("width", "height"), [(10_000, 10_000), (60_000, 60_000), (30_000, 100), (2**31 - 1, 30)]
)
def test_too_many_pixels_are_refused_before_they_are_decoded(width: int, height: int) -> None:
    with pytest.raises(ImageTooLarge):
        images.clean(png_claiming(width, height))


def test_metadata_does_not_survive() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 0.0)
    data = encode(astronaut(), exif=exif, comment=b"a secret note")
    assert b"secret" in data
    clean = images.clean(data)
    for jpeg in (clean.jpeg, clean.thumbnail_jpeg):
        assert b"secret" not in jpeg
        assert not dict(opened(jpeg).getexif())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(orientation: int) -> None:
    upright = astronaut().crop((0, 0, 512, 300))
    undo = STORED_FOR_ORIENTATION[orientation]
    stored = upright.transpose(undo) if undo is not None else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(stored, "PNG", exif=exif)
    clean = images.clean(data)
    assert (clean.width, clean.height) == (512, 300)
    gray, size = images.decode_gray(data)
    assert size == (512, 300)
    expected = np.asarray(upright.convert("L"), dtype=int)
    assert np.abs(gray.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK"])
def test_every_mode_becomes_the_same_picture(mode: str) -> None:
    image = astronaut().convert(mode)
    data = encode(image, "JPEG" if mode == "CMYK" else "PNG")
    gray, _size = images.decode_gray(data)
    expected = np.asarray(astronaut().convert("L"), dtype=int)
    assert np.abs(gray.astype(int) - expected).mean() < 12


def test_one_bit_pictures_are_black_and_white() -> None:
    gray, _size = images.decode_gray(encode(astronaut().convert("1"), "PNG"))
    assert set(np.unique(gray)) == {0, 255}


def test_sixteen_bits_keep_their_range() -> None:
    levels = np.asarray(astronaut().convert("L"), dtype=np.uint16) * 257
    gray, _size = images.decode_gray(encode(Image.fromarray(levels), "PNG"))
    assert np.abs(gray.astype(int) - (levels // 257)).max() <= 1


def test_transparent_pixels_are_white() -> None:
    data = encode(Image.new("RGBA", (64, 64), (0, 0, 0, 0)), "PNG")
    assert images.decode_gray(data)[0].min() == 255


def test_decoding_for_recognition_is_no_larger_than_asked() -> None:
    large = encode(astronaut().resize((3000, 2000)))
    gray, size = images.decode_gray(large, longest_side=600)
    assert size == (3000, 2000)
    assert gray.shape == (400, 600)


def test_small_photos_are_not_enlarged() -> None:
    gray, _size = images.decode_gray(face_jpeg(), longest_side=2048)
    assert gray.shape == (512, 512)


@pytest.mark.parametrize("moves", [False, True])
def test_what_is_behind_the_end_of_a_webp_says_nothing_of_it(moves: bool) -> None:
    more = {"save_all": True, "append_images": [Image.new("RGB", (300, 200))]} if moves else {}
    webp = encode(Image.new("RGB", (300, 200), "red"), "WEBP", **more)
    told = read_header(webp)
    assert told is not None
    assert (told.width, told.height, told.is_simple) == (300, 200, not moves)
    assert read_header(webp + size_behind_the_end()) == told


def test_a_picture_is_no_larger_than_its_header_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would have the turn and the limits of a smaller one."""
    monkeypatch.setattr(images, "read_header", lambda _data: Header("PNG", 64, 63))
    with pytest.raises(ImageDamaged):
        images.clean(encode(Image.new("RGB", (64, 64)), "PNG"))
