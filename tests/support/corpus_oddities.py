"""Still more of the corpus: metadata that asks for work, and rare ways to say an ordinary thing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from PIL import Image, PngImagePlugin

from tests.support.corpus_files import (
    ACCEPTED,
    BROKEN,
    NOT_A_PHOTO,
    TOO_COSTLY,
    HostileFile,
    png,
    png_chunk,
    small,
)
from tests.support.pictures import encode

RARE_KIND = frozenset({"format_not_accepted"})


def oddities() -> Iterator[HostileFile]:
    """Every one of these files."""
    for kind in (
        _directories, _profiles, _components, _tables, _pictures_in_pictures, _png_oddities,
        _animated_oddities, _gif_oddities, _bmp_oddities, _other_containers,
    ):  # fmt: skip
        yield from kind()


def exif_directory(entries: int, *, beyond: bool = False) -> bytes:
    """An EXIF block whose directory has so many entries, all of which lie on the same bytes.

    Args:
        entries: at most 65,535.
        beyond: each also claims more bytes than the block has.
    """
    blob = bytes(100)
    at = 8 + 2 + 12 * entries + 4
    size = 10**6 if beyond else len(blob)
    rows = b"".join(struct.pack("<HHII", n & 0xFFFF, 7, size, at) for n in range(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + rows + bytes(4) + blob


def jpeg_with_exif(exif: bytes) -> bytes:
    """A small JPEG with an EXIF block, in as many segments as it takes."""
    jpeg = encode(small())
    pieces = (exif[at : at + 65_000] for at in range(0, len(exif), 65_000))
    return _with(jpeg, *(_segment(0xE1, b"Exif\0\0" + piece) for piece in pieces))


def webp_with_exif(exif: bytes) -> bytes:
    """A small WebP with an EXIF block."""
    still = encode(small(), "WEBP")
    canvas = bytes((8, 0, 0, 0)) + (127).to_bytes(3, "little") * 2
    chunks = b"WEBP" + _riff(b"VP8X", canvas) + still[12:] + _riff(b"EXIF", exif)
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def _riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def _with(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def _small_png(extra: bytes) -> bytes:
    return png(64, 64, pixels=bytes(64 * 65), extra=extra)


def _directories() -> Iterator[HostileFile]:
    for name, entries, beyond in (("many", 5_400, False), ("beyond", 5_400, True),
                                  ("most", 65_535, True)):  # fmt: skip
        exif = exif_directory(entries, beyond=beyond)
        yield HostileFile(f"exif-{name}.jpg", jpeg_with_exif(exif), ACCEPTED)
        yield HostileFile(f"exif-{name}.webp", webp_with_exif(exif), ACCEPTED)
        yield HostileFile(f"exif-{name}.png", _small_png(png_chunk(b"eXIf", exif)), ACCEPTED)
    words = b"\nexif\n" + b"%8d\n" % (2 * len(exif)) + exif.hex().encode() + b"\n"
    raw = png_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(words))
    yield HostileFile("exif-as-text.png", _small_png(raw), ACCEPTED | BROKEN)
    many = jpeg_with_exif(exif_directory(65_535) + bytes(8_000_000))
    yield HostileFile("exif-9mb.jpg", many, ACCEPTED)
    odd = b"MM\0*\0\0\0\x08\0\x01\x01\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    yield HostileFile("exif-odd-type.jpg", jpeg_with_exif(odd), ACCEPTED)
    text = b"II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x04\0\0\0abc\0\0\0\0\0"
    yield HostileFile("exif-orientation-is-text.jpg", jpeg_with_exif(text), ACCEPTED)
    big = b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" + bytes(40)
    yield HostileFile("exif-bigtiff.jpg", jpeg_with_exif(big), ACCEPTED)
    xmp = b'<x:xmpmeta tiff:Orientation="6"/>' + b'tiff:Orientation="' * 3_000
    head = b"http://ns.adobe.com/xap/1.0/\0"
    yield HostileFile("xmp-only.jpg", _with(encode(small()), _segment(0xE1, head + xmp)), ACCEPTED)


def _profiles() -> Iterator[HostileFile]:
    jpeg = encode(small())
    pieces = [_segment(0xE2, b"ICC_PROFILE\0" + bytes((n, 255)) + bytes(30_000))
              for n in range(1, 256)]  # fmt: skip
    yield HostileFile("profile-255-pieces.jpg", _with(jpeg, *pieces), ACCEPTED)
    claims = b"\xff" * 4 + bytes(124) + b"\xff" * 200
    yield HostileFile("profile-claims.jpg", encode(small(), icc_profile=claims), ACCEPTED)
    for name, body in (("torn", b"k\0\0" + zlib.compress(bytes(90_000))[:-20]),
                       ("not-zlib", b"k\0\0" + b"\xff" * 99), ("method", b"k\0\x09" + bytes(9)),
                       ("nameless", b"x" * 500)):  # fmt: skip
        data = _small_png(png_chunk(b"iCCP", body))
        yield HostileFile(f"profile-{name}.png", data, ACCEPTED | BROKEN)
    resources = (b"8BIM" + struct.pack(">HHI", 1, 0, 0)) * 6_000
    blocks = [_segment(0xED, b"Photoshop 3.0\0" + resources[:64_800])] * 100
    yield HostileFile("photoshop-6mb.jpg", _with(jpeg, *blocks), ACCEPTED)


def _components() -> Iterator[HostileFile]:
    cmyk = encode(small().convert("CMYK"))
    adobe = cmyk.index(b"Adobe")
    for transform in (1, 2, 255):
        data = cmyk[: adobe + 11] + bytes((transform,)) + cmyk[adobe + 12 :]
        yield HostileFile(f"adobe-{transform}.jpg", data, ACCEPTED)
    start = cmyk.index(b"\xff\xee")
    yield HostileFile("cmyk-unnamed.jpg", cmyk[:start] + cmyk[start + 16 :], ACCEPTED)
    jpeg = encode(small(), subsampling=0)
    frame = jpeg.index(b"\xff\xc0")
    for name, factors in (("4x4", 0x44), ("0x0", 0x00), ("3x1", 0x31), ("15x15", 0xFF)):
        data = jpeg[: frame + 11] + bytes((factors,)) + jpeg[frame + 12 :]
        yield HostileFile(f"sampling-{name}.jpg", data, ACCEPTED | BROKEN)
    for count in (0, 2, 5, 255):
        data = jpeg[: frame + 9] + bytes((count,)) + jpeg[frame + 10 :]
        yield HostileFile(f"components-{count}.jpg", data, ACCEPTED | BROKEN | TOO_COSTLY)


def _tables() -> Iterator[HostileFile]:
    jpeg = encode(small())
    tables = _segment(0xDB, (b"\0" + b"\1" * 64) * 1_000)
    yield HostileFile("tables-100.jpg", _with(jpeg, *[tables] * 100), ACCEPTED | BROKEN)
    yield HostileFile("table-number-9.jpg", _with(jpeg, _segment(0xDB, b"\x09" + b"\1" * 64)),
                      ACCEPTED | BROKEN)  # fmt: skip
    overfull = _segment(0xC4, b"\0" + b"\xff" * 16 + bytes(4_080))
    yield HostileFile("codes-overfull.jpg", _with(jpeg, overfull), BROKEN)
    zeros = jpeg.replace(b"\xff\xdb\0\x43\0", b"\xff\xdb\0\x43\0" + bytes(64), 1)
    yield HostileFile("divides-by-nothing.jpg", zeros[: len(jpeg)], ACCEPTED | BROKEN)
    often = encode(small().resize((512, 512)), restart_marker_blocks=1)
    at = often.index(b"\xff\xdd")
    rarely = often[: at + 4] + b"\xff\xff" + often[at + 6 :]
    yield HostileFile("restart-where-none-is-due.jpg", rarely, ACCEPTED | BROKEN)


def _pictures_in_pictures() -> Iterator[HostileFile]:
    jpeg = encode(small())
    for name, count, offset in (("4000", 4_000, 0), ("loop", 2, 0), ("beyond", 2, 2**31),
                                ("claims", 2**31, 0)):  # fmt: skip
        size = min(16 * count, 64_000)
        rows = struct.pack("<IIIHH", 0x20000, 100, offset, 0, 0) * (size // 16)
        index = (
            b"II*\0\x08\0\0\0\x03\0"
            + struct.pack("<HHII", 0xB000, 7, 4, 0x30303130)
            + struct.pack("<HHII", 0xB001, 4, 1, count)
            + struct.pack("<HHII", 0xB002, 7, size, 50)
            + bytes(4)
            + rows
        )
        data = _with(jpeg, _segment(0xE2, b"MPF\0" + index))
        yield HostileFile(f"pictures-{name}.jpg", data, ACCEPTED | BROKEN)


def _png_oddities() -> Iterator[HostileFile]:
    for depth, colour in ((16, 3), (3, 0), (1, 2), (8, 1), (8, 7), (0, 0), (255, 255)):
        data = png(64, 64, pixels=bytes(64 * 65), depth=depth, colour=colour)
        yield HostileFile(f"depth-{depth}-colour-{colour}.png", data, ACCEPTED | BROKEN)
    for name, palette in (("none", b""), ("256", bytes(768)), ("torn", bytes(767)),
                          ("huge", bytes(3 * 100_000))):  # fmt: skip
        extra = png_chunk(b"PLTE", palette) if palette else b""
        data = png(64, 64, pixels=b"\xff" * (64 * 65), extra=extra, colour=3)
        yield HostileFile(f"palette-{name}.png", data, ACCEPTED | BROKEN)
    clear = png_chunk(b"PLTE", bytes(6)) + png_chunk(b"tRNS", bytes(90_000))
    data = png(64, 64, pixels=bytes(64 * 65), extra=clear, colour=3)
    yield HostileFile("transparency-90000.png", data, ACCEPTED | BROKEN)
    for name, body in (("gAMA", bytes(4)), ("gAMA", b"\xff"), ("cHRM", b"\xff" * 7),
                       ("pHYs", bytes(3)), ("sRGB", b""), ("eXIf", b"")):  # fmt: skip
        data = _small_png(png_chunk(name.encode(), body))
        yield HostileFile(f"short-{name}-{len(body)}.png", data, ACCEPTED | BROKEN)
    rows = (b"\x04" + bytes(4_000)) * 4_000
    yield HostileFile("rows-of-filter-4.png", png(4_000, 4_000, pixels=rows), ACCEPTED)
    info = PngImagePlugin.PngInfo()
    for number in range(60):
        info.add_text(f"k{number}", "x" * 900_000, zip=True)
    yield HostileFile("text-54mb.png", encode(small(), "PNG", pnginfo=info), ACCEPTED | BROKEN)


def _animated_oddities() -> Iterator[HostileFile]:
    for count in (0, 2**31 - 1, 2**32 - 1):
        control = png_chunk(b"acTL", struct.pack(">II", count, 0))
        yield HostileFile(f"frames-{count}.png", _small_png(control), ACCEPTED | BROKEN)
    empty = png_chunk(b"acTL", struct.pack(">II", 4_000, 0)) + b"".join(
        png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", n, 64, 64, 0, 0, 1, 1, 0, 0))
        for n in range(4_000)
    )
    yield HostileFile("frames-without-pictures.png", _small_png(empty), ACCEPTED | BROKEN)
    still = encode(small(), "WEBP")
    canvas = bytes((2, 0, 0, 0)) + (127).to_bytes(3, "little") * 2
    for name, place, count in (("outside", 200, 1), ("5000", 0, 5_000)):
        head = place.to_bytes(3, "little") * 2 + (127).to_bytes(3, "little") * 2 + bytes(4)
        frames = _riff(b"ANMF", head + still[12:]) * count
        chunks = b"WEBP" + _riff(b"VP8X", canvas) + _riff(b"ANIM", bytes(6)) + frames
        data = b"RIFF" + struct.pack("<I", len(chunks)) + chunks
        yield HostileFile(f"animated-{name}.webp", data[: 10 * 2**20], ACCEPTED | BROKEN)
    alpha = _riff(b"ALPH", b"\xff" * 3_000)
    chunks = b"WEBP" + _riff(b"VP8X", bytes((16, *canvas[1:]))) + alpha + still[12:]
    data = b"RIFF" + struct.pack("<I", len(chunks)) + chunks
    yield HostileFile("alpha-is-noise.webp", data, ACCEPTED | BROKEN)
    solid = encode(Image.new("RGB", (5_000, 5_000), "red"), "WEBP", lossless=True)
    yield HostileFile("lossless-25mp.webp", solid, ACCEPTED)


def _gif_oddities() -> Iterator[HostileFile]:
    gif = encode(small(), "GIF")
    at = gif.index(b"\x2c", 13 + 3 * 2 ** ((gif[10] & 7) + 1))
    for bits in (0, 1, 12, 255):
        data = gif[: at + 10] + bytes((bits,)) + gif[at + 11 :]
        yield HostileFile(f"code-size-{bits}.gif", data, ACCEPTED | BROKEN)
    for name, left, width in (("far", 9_000, 24), ("corner", 65_535, 1)):
        data = gif[: at + 1] + struct.pack("<HHHH", left, left, width, width) + gif[at + 9 :]
        yield HostileFile(f"frame-{name}.gif", data, BROKEN | ACCEPTED)
    yield HostileFile("sub-blocks-of-nothing.gif", gif[: at + 11] + b"\0" * 5_000, BROKEN)


def _bmp_oddities() -> Iterator[HostileFile]:
    for size, name in ((0, "none"), (16, "os2-16"), (41, "41"), (108, "v4"), (2**31, "huge")):
        bmp = encode(small(), "BMP")
        data = bmp[:14] + struct.pack("<I", size) + bmp[18:]
        yield HostileFile(f"header-{name}.bmp", data, ACCEPTED | BROKEN | {"too_small"})
    grey = encode(small().convert("L"), "BMP")
    for colours in (1, 256, 2**31 - 1, 2**32 - 1):
        data = grey[:46] + struct.pack("<I", colours) + grey[50:]
        yield HostileFile(f"palette-{colours}.bmp", data, ACCEPTED | BROKEN)
    wide = encode(small().convert("RGBA"), "BMP")
    masks = wide[:30] + struct.pack("<I", 3) + wide[34:54] + b"\x0f\xf0\x55\xaa" * 3 + wide[66:]
    yield HostileFile("masks-overlap.bmp", masks, ACCEPTED | BROKEN)
    rows = b"BM" + struct.pack("<IHHI", 0, 0, 0, 62) + struct.pack(
        "<IiiHHIIiiII", 40, 16_000, 3_000, 1, 1, 0, 0, 0, 0, 2, 0
    ) + bytes(8)  # fmt: skip
    yield HostileFile("one-bit-48mp.bmp", rows + bytes(2_000 * 3_000), ACCEPTED)


def _other_containers() -> Iterator[HostileFile]:
    tiff = encode(small(), "TIFF")
    yield HostileFile("tiff-named.jpg", tiff, NOT_A_PHOTO)
    yield HostileFile("tiff-behind-jpeg.jpg", b"\xff\xd8\xff" + tiff, BROKEN)
    yield HostileFile("tiff-in-exif.jpg", jpeg_with_exif(tiff[:60_000]), ACCEPTED)
    for brand in (b"avif", b"avis", b"heic", b"mif1", b"jxl ", b"crx "):
        box = struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + brand + b"mif1"
        grid = struct.pack(">I", 16) + b"grid\0\0\xff\xff\xff\xff\xff\xff"
        yield HostileFile(f"container.{brand.decode().strip()}", box + grid * 50, NOT_A_PHOTO)
    for name, magic in (
        ("psd", b"8BPS\0\1"), ("dds", b"DDS "), ("blp", b"BLP2"), ("fits", b"SIMPLE  ="),
        ("jxl", b"\xff\x0a"), ("qoi", b"qoif"), ("cur", b"\0\0\2\0\1\0"), ("xpm", b"/* XPM */"),
        ("emf", b"\1\0\0\0"), ("wmf", b"\xd7\xcd\xc6\x9a"), ("jp2", b"\xff\x4f\xff\x51"),
        ("riff", b"RIFF\x10\0\0\0WAVE"), ("ani", b"RIFF\x10\0\0\0ACON"),
        ("mng", b"\x8aMNG\r\n\x1a\n"),
    ):  # fmt: skip
        yield HostileFile(f"magic.{name}", magic + bytes(500), NOT_A_PHOTO)
