"""What the files of the corpus are made of, and how each may end."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from functools import cache

from PIL import Image

from tests.support.pictures import astronaut

ACCEPTED = frozenset({"accepted"})
NOT_A_PHOTO = frozenset({"format_not_accepted", "damaged"})
BROKEN = frozenset({"damaged", "format_not_accepted", "too_large"})
TOO_LARGE = frozenset({"too_large"})
TOO_COSTLY = frozenset({"image_too_costly"})

#: Words that stand in metadata and must not survive.
SECRET = b"a-secret-place"

FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "HEIF": "heic"}


@dataclass(frozen=True)
class HostileFile:
    """One file and how it must end.

    Attributes:
        name: as the client sends it.
        endings: codes of refusal that are right, or :data:`ACCEPTED`.
        orientation: of the EXIF block, for the eight upright-making tests; 0 for others.
    """

    name: str
    data: bytes = field(repr=False)
    endings: frozenset[str]
    orientation: int = 0


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int,
    height: int,
    *,
    pixels: bytes = bytes(100_000),
    extra: bytes = b"",
    depth: int = 8,
    colour: int = 0,
) -> bytes:
    """A PNG that claims a size, whatever its pixels amount to."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + extra
        + png_chunk(b"IDAT", zlib.compress(pixels, 9))
        + png_chunk(b"IEND", b"")
    )


@cache
def small() -> Image.Image:
    """The portrait at 128×128: enough of a photo, and quick to decode."""
    return astronaut().resize((128, 128))
