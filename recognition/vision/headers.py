"""What an image file says of itself, read without decoding anything.

A decoder does whatever a file asks of it, and a few bytes can ask for minutes: hundreds of scans
over the same picture, run-length codes, a comment in forty thousand pieces. So the structure is
read first, in time that grows with the bytes alone, and what asks for too much is refused here.

Sources: JPEG, ITU-T T.81 annex B; PNG, W3C third edition; WebP, RFC 9649; GIF89a; BMP, Microsoft's
BITMAPINFOHEADER. AVIF and HEIC have modules of their own.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from recognition.vision import avif, heic
from recognition.vision.errors import damaged, rare_kind, too_costly

#: Usual progressive JPEGs have ten scans; those of the most thorough optimisers, about 20.
MAXIMUM_SCANS = 40
#: Segments of a JPEG; a large colour profile or a panorama's metadata takes a hundred.
MAXIMUM_SEGMENTS = 1_000
#: Bytes between a JPEG's segments, which Pillow reads one by one.
MAXIMUM_FILLING = 65_536
#: Chunks of a PNG or WebP: 10 MB in pieces of 1 kB. Encoders write 8 kB and more.
MAXIMUM_CHUNKS = 10_000
#: Bytes of EXIF in a picture that is simple: Pillow takes 3 µs for each 12 of them.
MAXIMUM_SIMPLE_EXIF = 32 * 1024
#: Pieces of at most 255 bytes that a GIF may have in front of its first picture.
MAXIMUM_GIF_BLOCKS = 4_096


@dataclass(frozen=True, slots=True)
class Header:
    """The structure of an image file.

    Attributes:
        format: as Pillow names it.
        width: in pixels, before any turn that EXIF asks for.
        height: in pixels, likewise.
        is_simple: one picture that is decoded in one pass: a baseline JPEG, a WebP without
            animation, any BMP; with no more metadata than cameras write.
    """

    format: str
    width: int
    height: int
    is_simple: bool = False

    @property
    def pixels(self) -> int:
        return self.width * self.height


def read_header(data: bytes) -> Header | None:
    """Read the structure of an image file.

    Returns:
        None where the bytes are none of the formats that we read.

    Raises:
        ImageDamaged: the structure breaks off before it says anything.
        ImageFormatNotAccepted: a rare kind of a known format.
        ImageTooCostly: it asks for more work than any photo needs.
    """
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
        if data.startswith((b"GIF87a", b"GIF89a")):
            return _gif(data)
        if data.startswith(b"BM"):
            return _bmp(data)
        if avif.is_avif(data):
            return Header("AVIF", *avif.size_of(data))
        if heic.is_heic(data):
            return Header("HEIF", *heic.size_of(data))
    except (struct.error, IndexError):
        raise damaged() from None
    return None


# A marker that is none of the data's own: not a stuffed 0xFF (00), a filling one (FF) or a restart.
# One byte before the choice, so that no run of 0xFF is looked at twice.
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]", re.DOTALL)
_TEM, _SOI, _EOI, _SOS, _APP1 = 0x01, 0xD8, 0xD9, 0xDA, 0xE1
#: Frames that are Huffman-coded in one pass, and in several.
_SEQUENTIAL, _PROGRESSIVE = frozenset({0xC0, 0xC1}), 0xC2
#: Markers that no JPEG has: reserved ones, and those of extensions that nobody reads. Where libjpeg
#: looks for a restart, it skips some of them *without* what their length tells, and so would find
#: scans where we see none.
_UNKNOWN = frozenset((*range(0x02, 0xC0), 0xC8, 0xDE, 0xDF, *range(0xF0, 0xFE)))
#: Lossless, hierarchical and arithmetically coded frames.
_RARE_FRAMES = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCC, 0xCD, 0xCE, 0xCF})


def _jpeg(data: bytes) -> Header:
    at, n_scans, n_segments, n_filling = 2, 0, 0, 0
    width = height = n_components = n_exif = 0
    is_sequential = True
    while (found := _JPEG_MARKER.search(data, at)) is not None:
        n_filling += 0 if n_scans else found.start() - at
        marker, at = data[found.end() - 1], found.end()
        if marker == _EOI:
            break  # What follows belongs to other pictures, and is not read.
        n_segments += 1
        if n_segments > MAXIMUM_SEGMENTS:
            raise too_costly()
        if marker in {_TEM, _SOI}:
            continue
        if marker in _UNKNOWN:
            raise damaged()
        if marker in _RARE_FRAMES:
            raise rare_kind("JPEG")
        if marker in _SEQUENTIAL or marker == _PROGRESSIVE:
            depth, rows, columns, n_components = struct.unpack_from(">BHHB", data, at + 2)
            if depth != 8:
                raise rare_kind("JPEG")
            width, height = max(width, columns), max(height, rows)
            is_sequential = is_sequential and marker != _PROGRESSIVE
        n_scans += marker == _SOS
        if marker == _APP1 and data[at + 2 : at + 6] == b"Exif":
            n_exif += int.from_bytes(data[at : at + 2], "big")
        if n_scans > MAXIMUM_SCANS or n_filling > MAXIMUM_FILLING:
            raise too_costly()
        if at + 2 > len(data):
            break
        at += max(2, int.from_bytes(data[at : at + 2], "big"))
    if not width or not height:
        raise damaged()
    if is_sequential and n_scans > n_components:
        raise too_costly()  # The same part of the picture twice.
    is_simple = is_sequential and n_exif <= MAXIMUM_SIMPLE_EXIF
    return Header("JPEG", width, height, is_simple=is_simple)


def _png(data: bytes) -> Header:
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    if kind != b"IHDR" or length != 13:
        raise damaged()
    at, n_chunks = 8 + 12 + length, 1
    while at + 8 <= len(data) and kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IHDR":
            raise damaged()  # Which of its sizes counts depends on the reader.
        at += 12 + length
        n_chunks += 1
        if n_chunks > MAXIMUM_CHUNKS:
            raise too_costly()
    return Header("PNG", width, height)


def _webp(data: bytes) -> Header:
    at, n_chunks, n_exif = 12, 0, 0
    width = height = 0
    is_animated = False
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"VP8X":
            if n_chunks:
                raise damaged()  # It is the first, or there is none.
            is_animated = bool(data[at + 8] & 2)
            width = 1 + int.from_bytes(data[at + 12 : at + 15], "little")
            height = 1 + int.from_bytes(data[at + 15 : at + 18], "little")
        elif kind == b"VP8L" and not width:
            (packed,) = struct.unpack_from("<I", data, at + 9)
            width, height = 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
        elif kind == b"VP8 " and not width:
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, at + 14))
        elif kind == b"EXIF":
            n_exif += length
        is_animated = is_animated or kind in {b"ANIM", b"ANMF"}
        at += 8 + length + length % 2
        n_chunks += 1
        if n_chunks > MAXIMUM_CHUNKS:
            raise too_costly()
    if not width or not height:
        raise damaged()
    is_simple = not is_animated and n_exif <= MAXIMUM_SIMPLE_EXIF
    return Header("WEBP", width, height, is_simple=is_simple)


def _gif(data: bytes) -> Header:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + _colour_table_bytes(flags)
    n_blocks = 0
    while data[at] == 0x21:  # An extension, in front of the first picture.
        at += 2
        n_blocks += 1
        while data[at]:
            at += 1 + data[at]
            n_blocks += 1
            if n_blocks > MAXIMUM_GIF_BLOCKS:
                raise too_costly()
        if n_blocks > MAXIMUM_GIF_BLOCKS:
            raise too_costly()
        at += 1
    if data[at] != 0x2C:
        raise damaged()
    left, top, columns, rows = struct.unpack_from("<HHHH", data, at + 1)
    # Pillow lets a picture that is larger than its screen widen it.
    return Header("GIF", max(width, left + columns), max(height, top + rows))


def _colour_table_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _bmp(data: bytes) -> Header:
    (header_bytes,) = struct.unpack_from("<I", data, 14)
    compression = 0
    if header_bytes == 12:
        width, height, _planes, bits = struct.unpack_from("<HHHH", data, 18)
    else:
        width, height, _planes, bits, compression = struct.unpack_from("<iiHHI", data, 18)
        height = abs(height)  # Negative for rows from top to bottom.
    if compression not in {0, 3}:
        raise rare_kind("BMP")
    # Nothing is compressed, so the file must be as large as it says.
    if width <= 0 or (width * bits + 31) // 32 * 4 * height > len(data):
        raise damaged()
    return Header("BMP", width, height, is_simple=True)
