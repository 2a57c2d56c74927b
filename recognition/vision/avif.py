"""What an AVIF says of itself, in the boxes of ISO 14496-12 and 23008-12; nothing is decoded."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from recognition.vision.errors import ImageDamaged, gettext_noop

#: Brands of a picture, and of a sequence of them, of which the first is taken.
BRANDS = frozenset({b"avif", b"avis"})
#: Boxes in all, of the file and within its properties: a camera writes fewer than a hundred.
MAXIMUM_BOXES = 2_000
#: Boxes with others in them, and the bytes in front of those.
_CONTAINERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"moov": 0, b"trak": 0}


def is_avif(data: bytes) -> bool:
    """Whether a file begins as an AVIF; a HEIC does not."""
    if data[4:8] != b"ftyp" or len(data) < 16:
        return False
    end = min(int.from_bytes(data[:4], "big"), len(data), 256)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}
    return bool(brands & BRANDS)


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height of the largest picture that the file tells of, before any turn.

    Tiles of a grid are told of beside the whole; so is a sequence's track.

    Raises:
        ImageDamaged: nothing tells a size, or there is no end of boxes.
    """
    sizes = []
    for count, (kind, content) in enumerate(_boxes(data)):
        if count > MAXIMUM_BOXES:
            raise _damaged()
        if kind == b"ispe" and len(content) >= 12:
            sizes.append(struct.unpack(">II", content[4:12]))
        elif kind == b"tkhd" and len(content) >= 84:
            # Fixed-point numbers, at the end of the box.
            width, height = struct.unpack(">II", content[-8:])
            sizes.append((width >> 16, height >> 16))
    if not sizes:
        raise _damaged()
    return max(sizes, key=lambda size: size[0] * size[1])


def _boxes(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Every box that is no container, and what is in those that are."""
    waiting = [memoryview(data)]
    while waiting:
        view = waiting.pop()
        while len(view) >= 8:
            length = int.from_bytes(view[:4], "big")
            kind, head = bytes(view[4:8]), 8
            if length == 1:
                length, head = int.from_bytes(view[8:16], "big"), 16
            elif length == 0:
                length = len(view)
            if length < head:
                raise _damaged()
            content = view[head:length]
            if kind in _CONTAINERS:
                waiting.append(content[_CONTAINERS[kind] :])
            yield kind, content
            view = view[length:]


def _damaged() -> ImageDamaged:
    return ImageDamaged(gettext_noop("The file is damaged or incomplete."))
