"""More of the corpus: files whose structure asks for work, or is rare and right all the same."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from tests.support.corpus_files import (
    ACCEPTED,
    BROKEN,
    TOO_COSTLY,
    TOO_LARGE,
    HostileFile,
    png,
    png_chunk,
    small,
)
from tests.support.pictures import encode

RARE_KIND = frozenset({"format_not_accepted"})


def structures() -> Iterator[HostileFile]:
    """Every one of these files."""
    for kind in (_scans, _jpegs, _rare_jpegs, _pngs, _animations, _webps, _gifs, _bmps):
        yield from kind()


def many_scans(width: int, height: int, count: int) -> bytes:
    """A progressive JPEG that refines its last coefficients over and over."""
    jpeg = encode(small().resize((width, height)), progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + last * (count - jpeg.count(b"\xff\xda")) + jpeg[-2:]


def rle_bmp(width: int, height: int, compression: int = 1) -> bytes:
    """A BMP of run-length codes: two bytes for 255 pixels."""
    runs = (b"\xff\x01" * (width // 255) + b"\0\0") * height + b"\0\1"
    bits = {1: 8, 2: 4}.get(compression, 24)
    info = struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(runs), 0, 0, 0, 0
    )
    palette = bytes(4 * 2**bits) if bits <= 8 else b""
    at = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", at + len(runs), 0, 0, at) + info + palette + runs


def long_comment_gif(blocks: int) -> bytes:
    """A GIF whose comment comes in pieces of 255 bytes."""
    gif = encode(small(), "GIF")
    flags = gif[10]
    at = 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)
    return gif[:at] + b"\x21\xfe" + (b"\xff" + b"c" * 255) * blocks + b"\0" + gif[at:]


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def _scans() -> Iterator[HostileFile]:
    yield HostileFile("scans-40.jpg", many_scans(128, 128, 40), ACCEPTED)
    for count in (41, 500, 36_883):
        yield HostileFile(f"scans-{count}.jpg", many_scans(24, 24, count), TOO_COSTLY)
    gray = encode(small().convert("L"))
    scan = gray[gray.index(b"\xff\xda") : -2]
    yield HostileFile("scans-baseline.jpg", gray[:-2] + scan + gray[-2:], TOO_COSTLY)
    jpeg = encode(small())
    for count, endings in ((900, ACCEPTED), (5_000, TOO_COSTLY)):
        comments = _segment(0xFE, b"c") * count
        yield HostileFile(f"segments-{count}.jpg", jpeg[:2] + comments + jpeg[2:], endings)


def scans_behind(marker: int, count: int) -> bytes:
    """A JPEG of one scan, and more in segments that libjpeg looks into for a restart."""
    jpeg = encode(small(), restart_marker_blocks=1)
    blue, red = (_segment(0xDA, bytes((1, part, 0x11, 0, 63, 0))) for part in (2, 3))
    hidden = _segment(marker, red * 6_000) * (count // 6_000)
    return jpeg[: jpeg.index(b"\xff\xda")] + blue + hidden + b"\xff\xd9"


def _jpegs() -> Iterator[HostileFile]:
    jpeg = encode(small())
    for name, marker in (("starts", b"\xff\xd8"), ("nothings", b"\xff\x01")):
        many = jpeg[:2] + marker * 10_000_000 + jpeg[2:]
        yield HostileFile(f"{name}-10000000.jpg", many, TOO_COSTLY)
    for marker in (0x02, 0xBF, 0xC8, 0xDE, 0xF0):
        hidden = scans_behind(marker, 48_000)
        yield HostileFile(f"scans-behind-{marker:02x}.jpg", hidden, frozenset({"damaged"}))
    start = jpeg.index(b"\xff\xda")
    for blocks in (1, 16):
        data = encode(small(), restart_marker_blocks=blocks)
        yield HostileFile(f"restart-every-{blocks}.jpg", data, ACCEPTED)
    swapped = encode(small(), restart_marker_blocks=4).replace(b"\xff\xd1", b"\xff\xd5")
    yield HostileFile("restart-swapped.jpg", swapped, ACCEPTED | BROKEN)
    yield HostileFile("filled.jpg", jpeg[:2] + b"\xff" * 1_000 + jpeg[2:], ACCEPTED)
    yield HostileFile("filled-5mb.jpg", jpeg[:2] + b"\xff" * 5_000_000 + jpeg[2:], TOO_COSTLY)
    stuffed = jpeg[:-2] + b"\xff\0" * 2_500_000 + jpeg[-2:]
    yield HostileFile("stuffed-5mb.jpg", stuffed, ACCEPTED | BROKEN)
    yield HostileFile("profile-1mb.jpg", encode(small(), icc_profile=bytes(1_000_000)), ACCEPTED)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield HostileFile("profile-srgb.jpg", encode(small(), icc_profile=srgb), ACCEPTED)
    torn = _segment(0xE2, b"ICC_PROFILE\0\x02\x02" + bytes(99))
    yield HostileFile("profile-torn.jpg", jpeg[:2] + torn + jpeg[2:], ACCEPTED)
    frames = [small()] * 40
    mpo = encode(frames[0], "MPO", save_all=True, append_images=frames[1:])
    yield HostileFile("forty-pictures.jpg", mpo, ACCEPTED)
    inner = _segment(0xE1, b"Exif\0\0" + many_scans(32, 32, 900)[:60_000])
    yield HostileFile("scans-in-exif.jpg", jpeg[:2] + inner + jpeg[2:], ACCEPTED)
    tail = many_scans(128, 128, 500)
    yield HostileFile("scans-after-the-end.jpg", jpeg + tail, ACCEPTED)
    for name in ("4:4:4", "4:2:2", "4:2:0"):
        data = encode(small(), subsampling=name, progressive=True)
        yield HostileFile(f"subsampling-{name.replace(':', '')}.jpg", data, ACCEPTED)
    yield HostileFile(
        "progressive-grey.jpg", encode(small().convert("L"), progressive=True), ACCEPTED
    )
    frame = jpeg.index(b"\xff\xc0")
    huge = _segment(0xC0, struct.pack(">BHHB", 8, 60_000, 60_000, 1) + b"\1\x11\0")
    twice = jpeg[:start] + huge + jpeg[start:]
    yield HostileFile("two-frames.jpg", twice, TOO_LARGE)
    unknown = jpeg[: frame + 5] + b"\0\0" + jpeg[frame + 7 :]
    yield HostileFile("height-comes-later.jpg", unknown, BROKEN)
    yield HostileFile("tables-only.jpg", jpeg[:frame] + b"\xff\xd9", BROKEN)


def _rare_jpegs() -> Iterator[HostileFile]:
    jpeg = bytearray(encode(small()))
    frame = jpeg.index(b"\xff\xc0")
    for name, marker in (
        ("lossless", 0xC3),
        ("hierarchical", 0xC5),
        ("arithmetic", 0xC9),
        ("arithmetic-progressive", 0xCA),
        ("arithmetic-lossless", 0xCB),
    ):
        rare = jpeg.copy()
        rare[frame + 1] = marker
        yield HostileFile(f"{name}.jpg", bytes(rare), RARE_KIND)
    conditions = jpeg[:2] + _segment(0xCC, b"\0\x10") + jpeg[2:]
    yield HostileFile("arithmetic-conditions.jpg", bytes(conditions), RARE_KIND)
    deep = jpeg.copy()
    deep[frame + 4] = 12
    yield HostileFile("twelve-bits.jpg", bytes(deep), RARE_KIND)


def _interlaced(width: int, height: int, bytes_a_pixel: int) -> bytes:
    """Rows of the seven passes of a grey picture that is all black."""
    rows = b""
    for left, top, across, down in (
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):  # fmt: skip
        n_columns = len(range(left, width, across))
        rows += (b"\0" + bytes(n_columns * bytes_a_pixel)) * len(range(top, height, down))
    return rows


def _pngs() -> Iterator[HostileFile]:
    for depth in (8, 16):
        header = struct.pack(">IIBBBBB", 100, 90, depth, 0, 0, 0, 1)
        pixels = zlib.compress(_interlaced(100, 90, depth // 8))
        data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels)
        yield HostileFile(f"interlaced-{depth}.png", data + png_chunk(b"IEND", b""), ACCEPTED)
    for colour, channels in ((0, 1), (2, 3), (4, 2), (6, 4)):
        pixels = (b"\0" + bytes(64 * channels * 2)) * 64
        yield HostileFile(
            f"sixteen-bits-{colour}.png",
            png(64, 64, pixels=pixels, depth=16, colour=colour),
            ACCEPTED,
        )
    for depth in (1, 2, 4):
        pixels = (b"\0" + bytes(64 * depth // 8)) * 64
        yield HostileFile(f"bits-{depth}.png", png(64, 64, pixels=pixels, depth=depth), ACCEPTED)
    large = png(7_000, 7_000, pixels=bytes(7_001 * 7_000))
    told = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 100, 100, 8, 0, 0, 0, 0))
    yield HostileFile("two-sizes.png", large[:8] + told + large[8:], BROKEN)
    whole = png(64, 64, pixels=bytes(65 * 64))
    start, end = whole.index(b"IDAT") - 4, whole.index(b"IEND") - 4
    body = whole[start + 8 : end - 4]
    for count, endings in ((5_000, ACCEPTED), (11_000, TOO_COSTLY)):
        pieces = png_chunk(b"IDAT", b"") * count + png_chunk(b"IDAT", body)
        yield HostileFile(f"chunks-{count}.png", whole[:start] + pieces + whole[end:], endings)
    bombs = png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(900_000), 9)) * 200
    pixels = bytes(65 * 64)
    yield HostileFile(
        "bomb-200-ztxt.png", png(64, 64, pixels=pixels, extra=bombs), ACCEPTED | BROKEN
    )
    again = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    yield HostileFile("two-headers.png", png(64, 64, pixels=pixels, extra=again), ACCEPTED | BROKEN)
    late = whole[:8] + png_chunk(b"tEXt", b"k\0v") + whole[8:]
    yield HostileFile("late-header.png", late, BROKEN)
    beyond = whole[:start] + struct.pack(">I", 2**31 - 1) + b"tEXt" + whole[start:]
    yield HostileFile("chunk-beyond-the-end.png", beyond, BROKEN)
    turned = PngImagePlugin.PngInfo()
    turned.add(b"tRNS", struct.pack(">HHH", 0, 0, 0))
    yield HostileFile("colour-key.png", encode(small(), "PNG", pnginfo=turned), ACCEPTED | BROKEN)


def _animations() -> Iterator[HostileFile]:
    frames = [Image.new("RGB", (128, 128), (n, 0, 0)) for n in range(100)]
    for image_format, extension in (("WEBP", "webp"), ("PNG", "png"), ("GIF", "gif")):
        data = encode(
            small(), image_format, save_all=True, append_images=frames, duration=10, loop=0
        )
        yield HostileFile(f"animated-100.{extension}", data, ACCEPTED)
    apng = encode(small(), "PNG", save_all=True, append_images=frames[:2])
    at = apng.index(b"fcTL") + 8
    huge = apng[:at] + struct.pack(">II", 60_000, 60_000) + apng[at + 8 :]
    yield HostileFile("animated-huge-frame.png", huge, ACCEPTED | BROKEN)


def _webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _canvas(flags: int, width: int, height: int) -> tuple[bytes, bytes]:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes((flags, 0, 0, 0)) + size


def size_behind_the_end() -> bytes:
    """What makes a WebP small and still for whoever reads on behind its end."""
    kind, content = _canvas(0, 100, 100)
    return kind + struct.pack("<I", len(content)) + content


def _webps() -> Iterator[HostileFile]:
    still = encode(small(), "WEBP")
    image = still[12:16], still[20:]
    yield HostileFile("canvas-268mp.webp", _webp(_canvas(0, 16_383, 16_383), image), TOO_LARGE)
    yield HostileFile("canvas-26mp.webp", _webp(_canvas(0, 5_100, 5_100), image), TOO_LARGE)
    yield HostileFile("canvas-of-another-size.webp", _webp(_canvas(0, 999, 99), image), BROKEN)
    large = encode(Image.new("RGB", (4_900, 4_900)), "WEBP", method=0)
    inside = large + size_behind_the_end()
    longer = inside[:4] + struct.pack("<I", len(inside) - 8) + inside[8:]
    yield HostileFile("two-sizes.webp", longer, BROKEN)
    yield HostileFile("another-size-behind-the-end.webp", inside, ACCEPTED)
    many = [(b"JUNK", b"")] * 11_000
    yield HostileFile("chunks-11000.webp", _webp(_canvas(0, 128, 128), *many, image), TOO_COSTLY)
    yield HostileFile("animation-without-frames.webp", _webp(_canvas(2, 128, 128)), BROKEN)
    yield HostileFile("transparent.webp", encode(small().convert("RGBA"), "WEBP"), ACCEPTED)
    yield HostileFile("profile.webp", encode(small(), "WEBP", icc_profile=bytes(5_000)), ACCEPTED)
    longer = still[:4] + struct.pack("<I", 2**31) + still[8:]
    yield HostileFile("longer-than-it-is.webp", longer, BROKEN)


def _gifs() -> Iterator[HostileFile]:
    gif = encode(small(), "GIF")
    at = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    nothings = gif[:at] + b"\x21\xf9\0" * 8_000_000 + gif[at:]
    yield HostileFile("extensions-8000000.gif", nothings, TOO_COSTLY)
    wide = gif[:6] + struct.pack("<HH", 4_000, 4_000) + gif[10:]
    yield HostileFile("small-on-a-large-screen.gif", wide, ACCEPTED)
    at = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    at = gif.index(b"\x2c", at)
    for side, endings in ((60_000, TOO_LARGE), (300, BROKEN)):
        data = gif[: at + 5] + struct.pack("<HH", side, side) + gif[at + 9 :]
        yield HostileFile(f"frame-{side}.gif", data, endings)
    yield HostileFile("comment-1000.gif", long_comment_gif(1_000), ACCEPTED)
    yield HostileFile("comment-38000.gif", long_comment_gif(38_000), TOO_COSTLY)
    yield HostileFile("no-picture.gif", gif[:at] + b"\x3b", BROKEN)
    interlaced = encode(small(), "GIF", interlace=1)
    yield HostileFile("interlaced.gif", interlaced, ACCEPTED)


def _bmps() -> Iterator[HostileFile]:
    for compression, name in ((1, "rle8"), (2, "rle4"), (4, "jpeg"), (5, "png")):
        yield HostileFile(f"{name}.bmp", rle_bmp(510, 20, compression), RARE_KIND)
    yield HostileFile("bomb-rle.bmp", rle_bmp(7_000, 250), RARE_KIND)
    bmp = encode(small(), "BMP")
    upside_down = bmp[:22] + struct.pack("<i", -128) + bmp[26:]
    yield HostileFile("top-down.bmp", upside_down, ACCEPTED)
    for mode in ("1", "L", "P", "RGBA"):
        yield HostileFile(f"mode-{mode}.bmp", encode(small().convert(mode), "BMP"), ACCEPTED)
    claims = bmp[:18] + struct.pack("<ii", 7_000, 7_000) + bmp[26:]
    yield HostileFile("larger-than-it-is.bmp", claims, BROKEN)
    pixels = np.asarray(small(), np.uint8)[::-1, :, ::-1].tobytes()
    core = struct.pack("<IHHHH", 12, 128, 128, 1, 24)
    os2 = b"BM" + struct.pack("<IHHI", 26 + len(pixels), 0, 0, 26) + core + pixels
    yield HostileFile("os2.bmp", os2, ACCEPTED)
