"""Boxes of the ISO base media file format (ISO 14496-12), which AVIF and HEIC are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from recognition.vision.errors import damaged

#: Boxes in all, of the file and within its properties: a camera writes fewer than a hundred.
MAXIMUM_BOXES = 2_000
#: Of the first box, in which brands are looked for.
_MAXIMUM_BRAND_BYTES = 256

#: A box's four letters, and what is in it.
Box = tuple[bytes, memoryview]


def brands(data: bytes) -> frozenset[bytes]:
    """What a file that begins with an ``ftyp`` claims to be; empty for any other."""
    if data[4:8] != b"ftyp" or len(data) < 16:
        return frozenset()
    end = min(int.from_bytes(data[:4], "big"), len(data), _MAXIMUM_BRAND_BYTES)
    return frozenset((data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))))


def boxes(view: memoryview, maximum: int = MAXIMUM_BOXES) -> Iterator[Box]:
    """Boxes that follow each other, without what lies in them.

    Raises:
        ImageDamaged: one is shorter than its own head, or there are too many.
    """
    count = 0
    while len(view) >= 8:
        count += 1
        length = int.from_bytes(view[:4], "big")
        kind, head = bytes(view[4:8]), 8
        if length == 1:
            length, head = int.from_bytes(view[8:16], "big"), 16
        elif length == 0:
            length = len(view)
        if length < head or count > maximum:
            raise damaged()
        yield kind, view[head:length]
        view = view[length:]


def all_boxes(data: bytes, containers: Mapping[bytes, int]) -> Iterator[Box]:
    """Every box of a file, and what lies in those that contain others.

    Args:
        containers: boxes with others in them, and the bytes in front of those.

    Raises:
        ImageDamaged: as above.
    """
    waiting, count = [memoryview(data)], 0
    while waiting:
        for kind, content in boxes(waiting.pop()):
            count += 1
            if count > MAXIMUM_BOXES:
                raise damaged()
            if kind in containers:
                waiting.append(content[containers[kind] :])
            yield kind, content
