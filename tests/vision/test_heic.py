"""HEIC: what phones write of it, and what is made to look like it."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from recognition.vision import images
from recognition.vision.decoding.pool import DecodingPool
from recognition.vision.errors import ImageError, ImageFormatNotAccepted, ImageTooLarge
from recognition.vision.headers import read_header
from recognition.vision.live import FRAME_FORMATS, LiveRecognizer, LiveState
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.video.containers import HEAD_BYTES, is_video
from tests.support.heic_items import clap, coded, heic_file, imir, in_tiles, irot
from tests.support.pictures import astronaut, encode
from tests.support.site import ROOT


@pytest.fixture(scope="module")
def photo() -> bytes:
    return encode(astronaut(), "HEIF", quality=80)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DecodingPool]:
    """Confined processes, as the site has them."""
    started = DecodingPool(tmp_path_factory.mktemp("turns"), 1)
    yield started
    started.close()


def levels(image: Image.Image) -> NDArray[np.float32]:
    return np.asarray(image.convert("RGB"), np.float32)


def difference(jpeg: bytes, expected: Image.Image) -> float:
    """Mean over all pixels, in levels of 255; the sizes are the same."""
    with Image.open(io.BytesIO(jpeg)) as found:
        assert found.size == expected.size
        return float(np.abs(levels(found) - levels(expected)).mean())


def test_it_becomes_a_jpeg_of_the_same_picture(pool: DecodingPool, photo: bytes) -> None:
    header = read_header(photo)
    assert header is not None
    assert (header.format, header.width, header.height) == ("HEIF", 512, 512)
    assert not header.is_simple
    clean = pool.clean(io.BytesIO(photo))
    assert (clean.width, clean.height) == (512, 512)
    assert difference(clean.jpeg, astronaut()) < 8


def test_tiles_as_phones_write_them_become_one_picture(pool: DecodingPool) -> None:
    tiles = in_tiles(astronaut(), 128)
    assert tiles.count(b"infe") == 17
    assert difference(pool.clean(io.BytesIO(tiles)).jpeg, astronaut()) < 8


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (irot(1), Image.Transpose.ROTATE_90),
        (irot(2), Image.Transpose.ROTATE_180),
        (irot(3), Image.Transpose.ROTATE_270),
        (imir(0), Image.Transpose.FLIP_TOP_BOTTOM),
        (imir(1), Image.Transpose.FLIP_LEFT_RIGHT),
    ],
)
def test_it_is_turned_as_its_own_boxes_say(turn: bytes, expected: Image.Transpose) -> None:
    picture = astronaut().crop((0, 0, 512, 384))
    clean = images.clean(heic_file([coded(picture, turn)]))
    upright = picture.transpose(expected)
    assert (clean.width, clean.height) == upright.size
    assert difference(clean.jpeg, upright) < 8


def test_tiles_are_turned_as_a_whole() -> None:
    picture = astronaut().crop((0, 0, 512, 384))
    turned = picture.transpose(Image.Transpose.ROTATE_270)
    assert difference(images.clean(in_tiles(picture, 128, irot(3))).jpeg, turned) < 8


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_exif_repeats_the_turn_and_does_not_add_one(orientation: int) -> None:
    """Phones write both; the boxes count."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Secret Camera"
    picture = astronaut().resize((300, 200))
    # The encoder writes the boxes from it.
    clean = images.clean(encode(picture, "HEIF", exif=exif.tobytes()))
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_270,
             8: Image.Transpose.ROTATE_90}  # fmt: skip
    upright = picture.transpose(turns[orientation]) if orientation in turns else picture
    assert (clean.width, clean.height) == upright.size
    assert difference(clean.jpeg, upright) < 8
    assert b"Secret Camera" not in clean.jpeg
    assert not Image.open(io.BytesIO(clean.jpeg)).getexif()


def test_it_is_cut_as_its_own_boxes_say() -> None:
    clean = images.clean(heic_file([coded(astronaut(), clap(300, 200))]))
    assert (clean.width, clean.height) == (300, 200)
    assert difference(clean.jpeg, astronaut().crop((106, 156, 406, 356))) < 8


def test_a_burst_gives_the_picture_that_it_names() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("white", "black")]
    data = encode(frames[0], "HEIF", save_all=True, append_images=frames[1:])
    assert images.decode_gray(data)[0].min() > 250


def test_transparency_lies_on_white_as_elsewhere() -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    expected = images.decode_gray(encode(clear, "PNG"))[0]
    assert np.abs(images.decode_gray(encode(clear, "HEIF"))[0] - expected.astype(int)).max() < 4


def test_live_frames_and_videos_are_none(recognizer: EmotionRecognizer, photo: bytes) -> None:
    with pytest.raises(ImageFormatNotAccepted):
        LiveRecognizer(recognizer).process(photo, LiveState(), 0.0)
    assert "HEIF" not in FRAME_FORMATS
    assert not is_video(photo[:HEAD_BYTES])
    assert not is_video(encode(astronaut(), "AVIF")[:HEAD_BYTES])


def test_a_size_that_is_told_and_not_true_is_at_most_believed(
    pool: DecodingPool, photo: bytes
) -> None:
    """The boxes say small, the picture in them is large: within the limits of the process."""
    red = Image.new("RGB", (5200, 5200), "red")
    large = heic_file([coded(red, told=(64, 64), preset="ultrafast")])
    try:
        clean = pool.clean(io.BytesIO(large))
    except ImageError:
        pass
    else:
        assert (clean.width, clean.height) == (64, 64)
    assert pool.clean(io.BytesIO(photo)).width == 512


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.99])
def test_a_part_of_it_is_no_photo(pool: DecodingPool, photo: bytes, share: float) -> None:
    with pytest.raises(ImageError):
        pool.clean(io.BytesIO(photo[: int(len(photo) * share)]))


@pytest.mark.parametrize("in_pieces", [False, True])
def test_noise_in_it_harms_nobody(pool: DecodingPool, photo: bytes, in_pieces: bool) -> None:
    random = np.random.default_rng(3)
    whole = in_tiles(astronaut().resize((256, 256)), 64) if in_pieces else photo
    # Every second file is changed in what it says of itself alone.
    directory = whole.index(b"idat" if in_pieces else b"mdat")
    for number in range(150):
        data = bytearray(whole)
        for place in random.integers(0, directory if number % 2 else len(data), 8):
            data[place] = int(random.integers(256))
        try:
            clean = pool.clean(io.BytesIO(bytes(data)))
        except ImageError:
            continue
        assert clean.jpeg.startswith(b"\xff\xd8")


def test_the_largest_one_fits_into_the_process_that_decodes_it(pool: DecodingPool) -> None:
    noise = Image.effect_noise((5000, 5000), 60).convert("RGB")
    data = encode(noise, "HEIF", quality=40, enc_params={"preset": "ultrafast"})
    assert pool.clean(io.BytesIO(data)).width > 3000
    with pytest.raises(ImageTooLarge):
        pool.clean(io.BytesIO(data.replace(struct.pack(">I", 5000), struct.pack(">I", 5010))))


#: In a process of its own, as a web process is.
ELSEWHERE = """
import io, sys
from pathlib import Path
from recognition.vision.decoding.pool import DecodingPool
pool = DecodingPool(Path(sys.argv[2]), 1)
assert pool.clean(io.BytesIO(Path(sys.argv[1]).read_bytes())).width == 512
pool.close()
assert not [name for name in sys.modules if "heif" in name], sys.modules
"""


def test_no_process_but_the_confined_one_loads_the_decoder(photo: bytes, tmp_path: Path) -> None:
    file = tmp_path / "photo.heic"
    file.write_bytes(photo)
    turns = str(tmp_path / "turns")
    subprocess.run([sys.executable, "-c", ELSEWHERE, str(file), turns], check=True, cwd=ROOT)
