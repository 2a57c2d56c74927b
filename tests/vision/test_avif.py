"""AVIF: what phones and browsers write of it, and what is made to look like it."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from recognition.vision import images
from recognition.vision.boxes import MAXIMUM_BOXES
from recognition.vision.decoding.pool import DecodingPool
from recognition.vision.errors import (
    ImageDamaged,
    ImageError,
    ImageFormatNotAccepted,
    ImageTooLarge,
)
from recognition.vision.headers import read_header
from tests.support.pictures import astronaut, encode


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", len(body) + 8) + kind + body


def ispe(width: int, height: int) -> bytes:
    return box(b"ispe", bytes(4), struct.pack(">II", width, height))


def avif_of(*properties: bytes) -> bytes:
    """A file that has properties and no picture."""
    head = box(b"ftyp", b"avif", bytes(4), b"avif", b"mif1")
    return head + box(b"meta", bytes(4), box(b"iprp", box(b"ipco", *properties)))


@pytest.fixture(scope="module")
def photo() -> bytes:
    return encode(astronaut(), "AVIF", quality=80)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DecodingPool]:
    """Confined processes, as the site has them."""
    started = DecodingPool(tmp_path_factory.mktemp("turns"), 1)
    yield started
    started.close()


def test_it_becomes_a_jpeg_of_the_same_picture(pool: DecodingPool, photo: bytes) -> None:
    header = read_header(photo)
    assert header is not None
    assert (header.format, header.width, header.height, header.is_simple) == (
        "AVIF",
        512,
        512,
        False,
    )
    clean = pool.clean(io.BytesIO(photo))
    assert (clean.width, clean.height) == (512, 512)
    found = np.asarray(Image.open(io.BytesIO(clean.jpeg)), np.float32)
    assert np.abs(found - np.asarray(astronaut(), np.float32)).mean() < 8


@pytest.mark.parametrize("orientation", [1, 6, 8])
def test_it_is_turned_as_its_maker_says_and_its_metadata_go(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Secret Camera"
    clean = images.clean(encode(astronaut().resize((300, 200)), "AVIF", exif=exif))
    assert (clean.width, clean.height) == ((300, 200) if orientation == 1 else (200, 300))
    assert b"Secret Camera" not in clean.jpeg
    assert not Image.open(io.BytesIO(clean.jpeg)).getexif()


def test_a_sequence_gives_its_first_picture() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("white", "black")]
    data = encode(frames[0], "AVIF", save_all=True, append_images=frames[1:])
    assert images.decode_gray(data)[0].min() > 250


def test_transparency_lies_on_white_as_elsewhere() -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    expected = images.decode_gray(encode(clear, "PNG"))[0]
    assert np.abs(images.decode_gray(encode(clear, "AVIF"))[0] - expected.astype(int)).max() < 4


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (avif_of(ispe(6000, 5000)), ImageTooLarge),
        (avif_of(ispe(64, 64), ispe(6000, 5000)), ImageTooLarge),
        (avif_of(ispe(0xFFFFFFFF, 0xFFFFFFFF)), ImageTooLarge),
        (avif_of(), ImageDamaged),
        (avif_of(ispe(64, 64)), ImageFormatNotAccepted),
        (avif_of(*[box(b"free")] * (MAXIMUM_BOXES + 1), ispe(64, 64)), ImageDamaged),
        (avif_of(b"\0\0\0\x03ispe"), ImageDamaged),
        (avif_of(ispe(64, 64))[:30], ImageDamaged),
        (box(b"ftyp", b"heic", bytes(4), b"mif1", b"heic"), ImageDamaged),
        (box(b"ftyp", b"isom", bytes(4), b"mp42"), ImageFormatNotAccepted),
    ],
)
def test_what_is_made_up_is_refused(data: bytes, error: type[ImageError]) -> None:
    with pytest.raises(error):
        images.clean(data)


def test_a_size_that_is_told_and_not_true_is_at_most_believed(
    pool: DecodingPool, photo: bytes
) -> None:
    """The boxes say small, the picture in them is large: within the limits of the process."""
    large = encode(Image.new("RGB", (5200, 5200), "red"), "AVIF", speed=10)
    told = large.replace(struct.pack(">II", 5200, 5200), struct.pack(">II", 64, 64))
    assert told != large
    try:
        clean = pool.clean(io.BytesIO(told))
    except ImageError:
        pass
    else:
        assert (clean.width, clean.height) == (64, 64)
    assert pool.clean(io.BytesIO(photo)).width == 512


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.999])
def test_a_part_of_it_is_no_photo(pool: DecodingPool, photo: bytes, share: float) -> None:
    with pytest.raises(ImageError):
        pool.clean(io.BytesIO(photo[: int(len(photo) * share)]))


def test_noise_in_it_harms_nobody(pool: DecodingPool, photo: bytes) -> None:
    random = np.random.default_rng(3)
    for _file in range(150):
        data = bytearray(photo)
        for place in random.integers(0, len(data), 8):
            data[place] = int(random.integers(256))
        try:
            clean = pool.clean(io.BytesIO(bytes(data)))
        except ImageError:
            continue
        assert clean.jpeg.startswith(b"\xff\xd8")


def test_the_largest_one_fits_into_the_process_that_decodes_it(pool: DecodingPool) -> None:
    data = encode(Image.effect_noise((5000, 5000), 60).convert("RGB"), "AVIF", speed=10, quality=40)
    assert pool.clean(io.BytesIO(data)).width > 3000
