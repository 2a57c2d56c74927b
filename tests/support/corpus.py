"""Hostile and odd files, made by this script: what attackers and old cameras send.

Each file says how it must end: accepted, or refused with one of the documented codes. Nothing is
downloaded, and the only face is that of the public-domain portrait.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin

from tests.support.corpus_files import (
    ACCEPTED,
    BROKEN,
    FORMATS,
    NOT_A_PHOTO,
    SECRET,
    TOO_COSTLY,
    TOO_LARGE,
    HostileFile,
    png,
    png_chunk,
    small,
)
from tests.support.corpus_heic import heic_files
from tests.support.corpus_oddities import oddities
from tests.support.corpus_structures import structures
from tests.support.pictures import astronaut, encode


def corpus() -> Iterator[HostileFile]:
    """Every file, with names that differ."""
    yield from _bombs()
    yield from _truncated()
    yield from _damaged()
    yield from _other_formats()
    yield from _polyglots()
    yield from _wrong_extensions()
    yield from _modes()
    yield from _animations()
    yield from _orientations()
    yield from _metadata()
    yield from _names()
    yield from _sizes()
    yield from structures()
    yield from oddities()
    yield from heic_files()


def _bombs() -> Iterator[HostileFile]:
    for width, height in (
        (10_000, 10_000),
        (60_000, 60_000),
        (30_000, 100),
        (100, 30_000),
        (2**31 - 1, 30),
        (30, 2**31 - 1),
        (65_535, 65_535),
        (16_001, 30),
    ):
        yield HostileFile(f"bomb-pixels-{width}x{height}.png", png(width, height), TOO_LARGE)
    # Within the limit of pixels as claimed, and a thousand times that when inflated.
    yield HostileFile("bomb-idat.png", png(64, 64, pixels=bytes(200_000_000)), ACCEPTED | BROKEN)
    for kind in (b"zTXt", b"iTXt", b"iCCP"):
        inflated = zlib.compress(bytes(80_000_000), 9)
        head = b"k\0\1\0\0\0" if kind == b"iTXt" else b"k\0\0"
        body = head + inflated
        yield HostileFile(
            f"bomb-{kind.decode().lower()}.png",
            png(64, 64, pixels=bytes(64 * 65), extra=png_chunk(kind, body)),
            ACCEPTED | BROKEN,
        )
    many = b"".join(png_chunk(b"tEXt", b"key\0" + b"x" * 20) for _ in range(20_000))
    yield HostileFile(
        "bomb-20000-chunks.png",
        png(64, 64, pixels=bytes(64 * 65), extra=many),
        TOO_COSTLY,
    )
    frames = [Image.new("P", (64, 64), index % 250) for index in range(3_000)]
    for image_format in ("GIF", "WEBP", "PNG"):
        n_frames = 3_000 if image_format == "GIF" else 300
        yield HostileFile(
            f"bomb-frames.{FORMATS[image_format]}",
            encode(
                frames[0].convert("RGB"),
                image_format,
                save_all=True,
                append_images=[frame.convert("RGB") for frame in frames[1:n_frames]],
            ),
            ACCEPTED,
        )
    screen = struct.pack("<HH", 60_000, 60_000)
    gif = encode(small(), "GIF")
    yield HostileFile("bomb-screen.gif", gif[:6] + screen + gif[10:], TOO_LARGE | BROKEN)
    bmp = encode(small(), "BMP")
    for width, height in ((60_000, 60_000), (-1, 100), (100, -(2**31))):
        header = bmp[:18] + struct.pack("<ii", width, height) + bmp[26:]
        yield HostileFile(f"bomb-{width}x{height}.bmp", header, BROKEN | {"too_small"})
    jpeg = encode(small())
    frame = jpeg.index(b"\xff\xc0")
    for side in (65_500, 20_000):
        claimed = jpeg[: frame + 5] + struct.pack(">HH", side, side) + jpeg[frame + 9 :]
        yield HostileFile(f"bomb-{side}.jpg", claimed, TOO_LARGE)


def _truncated() -> Iterator[HostileFile]:
    for image_format, extension in FORMATS.items():
        whole = encode(small(), image_format)
        for tenth in range(10):
            data = whole[: len(whole) * tenth // 10]
            endings = frozenset({"empty"}) if not data else BROKEN
            yield HostileFile(f"truncated-{tenth}.{extension}", data, endings)
        for missing in (1, 2, 20):
            # A decoder may have all pixels before the last bytes.
            yield HostileFile(
                f"short-by-{missing}.{extension}", whole[:-missing], ACCEPTED | BROKEN
            )


def _damaged() -> Iterator[HostileFile]:
    rng = np.random.default_rng(0)
    for image_format, extension in FORMATS.items():
        whole = bytearray(encode(small(), image_format))
        for number in range(6):
            data = bytearray(whole)
            for position in rng.integers(8, len(whole), 4 * (number + 1)):
                data[position] = rng.integers(256)
            yield HostileFile(
                f"flipped-{number}.{extension}",
                bytes(data),
                ACCEPTED | BROKEN | {"too_small"},
            )
        noise = bytes(whole[:12]) + rng.bytes(5_000)
        yield HostileFile(f"noise.{extension}", noise, BROKEN | {"too_small"})


def _other_formats() -> Iterator[HostileFile]:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    entity = b"<!DOCTYPE s [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg>&a;</svg>"
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(/etc/passwd) (r) file\n"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("../../evil.jpg", encode(small()))
    texts = {
        "drawing.svg": svg,
        "entity.svg": entity,
        "page.eps": eps,
        "page.ps": eps,
        "page.pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n",
        "page.html": b"<html><script>alert(1)</script></html>",
        "script.php": b"<?php system($_GET['c']); ?>",
        "shell.sh": b"#!/bin/sh\nrm -rf /\n",
        "program.exe": b"MZ" + bytes(200),
        "program.elf": b"\x7fELF" + bytes(200),
        "archive.zip": archive.getvalue(),
        "text.txt": b"hello",
        "nothing.jpg": b"",
        "one-byte.jpg": b"\xff",
        "zeros.jpg": bytes(1_000),
        "magick.mvg": b"push graphic-context\nfill 'url(https://example.org/)'\n",
    }
    for name, data in texts.items():
        endings = frozenset({"empty"}) if not data else NOT_A_PHOTO
        yield HostileFile(name, data, endings)
    for image_format in ("TIFF", "ICO", "TGA", "PPM", "PCX", "ICNS", "JPEG2000", "SGI"):
        image = small() if image_format != "ICNS" else small().resize((64, 64))
        yield HostileFile(f"other.{image_format.lower()}", encode(image, image_format), NOT_A_PHOTO)


def _polyglots() -> Iterator[HostileFile]:
    """Two formats in one file. A photo in front is a photo; what follows must not survive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("a.txt", SECRET)
    tails = {
        "html": b"<html><script>" + SECRET + b"</script></html>",
        "zip": archive.getvalue(),
        "pdf": b"%PDF-1.7\n" + SECRET,
        "php": b"<?php " + SECRET + b" ?>",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'>" + SECRET + b"</svg>",
    }
    for kind, tail in tails.items():
        for image_format, extension in FORMATS.items():
            photo = encode(small(), image_format)
            yield HostileFile(f"photo-then-{kind}.{extension}", photo + tail, ACCEPTED)
        for extension in ("jpg", "png"):
            photo = encode(small(), "JPEG" if extension == "jpg" else "PNG")
            yield HostileFile(f"{kind}-then-photo.{extension}", tail + photo, NOT_A_PHOTO)


def _wrong_extensions() -> Iterator[HostileFile]:
    """What a file is called says nothing: the bytes decide."""
    for image_format, extension in FORMATS.items():
        for wrong in ("txt", "php", "svg", "pdf", "jpg.exe"):
            yield HostileFile(f"{extension}-named.{wrong}", encode(small(), image_format), ACCEPTED)


def _modes() -> Iterator[HostileFile]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I"):
        if mode in {"I;16", "I"}:
            levels = np.asarray(small().convert("L"), np.uint16) * 257
            image = Image.fromarray(levels)
        else:
            image = small().convert(mode)
        yield HostileFile(f"mode-{mode.replace(';', '')}.png", encode(image, "PNG"), ACCEPTED)
    for mode in ("L", "RGB", "CMYK", "YCbCr"):
        yield HostileFile(f"mode-{mode}.jpg", encode(small().convert(mode)), ACCEPTED)
    clear = small().convert("RGBA")
    clear.putalpha(0)
    yield HostileFile("invisible.png", encode(clear, "PNG"), ACCEPTED)
    palette = small().quantize(16)
    yield HostileFile("transparent-colour.png", encode(palette, "PNG", transparency=0), ACCEPTED)
    yield HostileFile("transparent-colour.gif", encode(palette, "GIF", transparency=0), ACCEPTED)
    yield HostileFile("progressive.jpg", encode(small(), progressive=True), ACCEPTED)
    yield HostileFile("lossless.webp", encode(small(), "WEBP", lossless=True), ACCEPTED)


def _animations() -> Iterator[HostileFile]:
    frames = [small(), Image.new("RGB", (128, 128), "black")]
    for image_format in ("GIF", "WEBP", "PNG"):
        data = encode(frames[0], image_format, save_all=True, append_images=frames[1:])
        yield HostileFile(f"animated.{FORMATS[image_format]}", data, ACCEPTED)
    data = encode(frames[0], "MPO", save_all=True, append_images=frames[1:])
    yield HostileFile("two-pictures.jpg", data, ACCEPTED)


#: How a photo must be stored so that each EXIF orientation shows it upright.
STORED_FOR_ORIENTATION = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def _orientations() -> Iterator[HostileFile]:
    upright = astronaut().crop((0, 0, 512, 400))
    for orientation, transposition in STORED_FOR_ORIENTATION.items():
        stored = upright.transpose(transposition) if transposition is not None else upright
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = encode(stored, quality=95, exif=exif)
        yield HostileFile(f"orientation-{orientation}.jpg", data, ACCEPTED, orientation)
    for orientation in (0, 9, 65_535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield HostileFile(f"orientation-{orientation}.jpg", encode(small(), exif=exif), ACCEPTED)


def _metadata() -> Iterator[HostileFile]:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif[0x013B] = SECRET.decode()
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 0.0)
    exif.get_ifd(0x8769)[0x9286] = SECRET
    for image_format in ("JPEG", "PNG", "WEBP"):
        extension = FORMATS[image_format]
        data = encode(small(), image_format, exif=exif)
        yield HostileFile(f"gps.{extension}", data, ACCEPTED)
    yield HostileFile("comment.jpg", encode(small(), comment=SECRET), ACCEPTED)
    yield HostileFile("comment.gif", encode(small(), "GIF", comment=SECRET), ACCEPTED)
    yield HostileFile("xmp.webp", encode(small(), "WEBP", xmp=SECRET), ACCEPTED)
    yield HostileFile("profile.jpg", encode(small(), icc_profile=SECRET * 20), ACCEPTED)
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", SECRET.decode())
    info.add_itxt("XML:com.adobe.xmp", SECRET.decode(), zip=True)
    yield HostileFile("text.png", encode(small(), "PNG", pnginfo=info), ACCEPTED)
    jpeg = encode(small())
    app1 = (
        b"\xff\xe1" + struct.pack(">H", 2 + 6 + 60_000) + b"Exif\0\0" + b"II*\0" + b"\xff" * 59_996
    )
    yield HostileFile("broken-exif.jpg", jpeg[:2] + app1 + jpeg[2:], ACCEPTED | BROKEN)
    loop = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x69\x87\x04\0\x01\0\0\0\x08\0\0\0" + b"\x08\0\0\0"
    looping = jpeg[:2] + _exif_segment(loop) + jpeg[2:]
    yield HostileFile("looping-exif.jpg", looping, ACCEPTED)


def _exif_segment(body: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", 2 + 6 + len(body)) + b"Exif\0\0" + body


def _names() -> Iterator[HostileFile]:
    """Names, all on the same good photo."""
    photo = encode(small())
    for name in (
        "../../../etc/passwd.jpg",
        "..\\..\\windows\\system.jpg",
        "/etc/passwd",
        "nul\0byte.jpg",
        "right\u202egpj.exe",
        "left\u200eright\u200f.jpg",
        "n" * 300 + ".jpg",
        "é" * 300 + ".jpg",
        ".jpg",
        ".",
        "..",
        " ",
        "CON.jpg",
        "a;b|c&d$(e)`f`.jpg",
        "<script>alert(1)</script>.jpg",
        "'; DROP TABLE users; --.jpg",
        '"quoted".jpg',
        "new\nline\r\nHeader: x.jpg",
        "😀👨‍👩‍👧.jpg",
        "=HYPERLINK(1).jpg",
        "zero\ufeffwidth\u200b.jpg",
        "%00%2e%2e%2f.jpg",
        "{{7*7}}.jpg",
    ):
        # Of a form, Django takes a file whose name is a folder for none.
        endings = ACCEPTED | {"invalid"} if name in {".", ".."} else ACCEPTED
        yield HostileFile(name, photo, endings)


def _sizes() -> Iterator[HostileFile]:
    for size in ((1, 1), (23, 100), (100, 23), (23, 23)):
        image = small().resize(size)
        too_small = frozenset({"too_small"})
        yield HostileFile(f"size-{size[0]}x{size[1]}.png", encode(image, "PNG"), too_small)
    for size in ((24, 24), (24, 3_000), (3_000, 24)):
        data = encode(small().resize(size), "PNG")
        yield HostileFile(f"size-{size[0]}x{size[1]}.png", data, ACCEPTED)
    board = Image.new("L", (1_500, 1_500))
    ImageDraw.Draw(board).rectangle((0, 0, 750, 750), fill=255)
    yield HostileFile("board.png", encode(board, "PNG"), ACCEPTED)
