"""What an AVIF says of itself, in the boxes of ISO 14496-12 and 23008-12; nothing is decoded."""

from __future__ import annotations

import struct

from recognition.vision.boxes import all_boxes, brands
from recognition.vision.errors import damaged

#: Brands of a picture, and of a sequence of them, of which the first is taken.
BRANDS = frozenset({b"avif", b"avis"})
#: Boxes with others in them, and the bytes in front of those.
_CONTAINERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"moov": 0, b"trak": 0}


def is_avif(data: bytes) -> bool:
    """Whether a file begins as an AVIF; a HEIC does not."""
    return bool(brands(data) & BRANDS)


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height of the largest picture that the file tells of, before any turn.

    Tiles of a grid are told of beside the whole; so is a sequence's track.

    Raises:
        ImageDamaged: nothing tells a size, or there is no end of boxes.
    """
    sizes = []
    for kind, content in all_boxes(data, _CONTAINERS):
        if kind == b"ispe" and len(content) >= 12:
            sizes.append(struct.unpack(">II", content[4:12]))
        elif kind == b"tkhd" and len(content) >= 84:
            # Fixed-point numbers, at the end of the box.
            width, height = struct.unpack(">II", content[-8:])
            sizes.append((width >> 16, height >> 16))
    if not sizes:
        raise damaged()
    return max(sizes, key=lambda size: size[0] * size[1])
