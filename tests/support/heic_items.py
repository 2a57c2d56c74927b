"""HEIC files item by item: what no encoder would write, and grids as phones write them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image

from recognition.vision.heic import read_directory
from tests.support.pictures import encode


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", len(body) + 8) + kind + body


def full_box(kind: bytes, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def ispe(width: int, height: int) -> bytes:
    return full_box(b"ispe", struct.pack(">II", width, height))


def irot(quarters: int) -> bytes:
    """A turn against the clock."""
    return box(b"irot", bytes((quarters,)))


def imir(axis: int) -> bytes:
    return box(b"imir", bytes((axis,)))


def clap(width: int, height: int, *, denominator: int = 1) -> bytes:
    """A cut round the middle."""
    sides = struct.pack(">IIII", width, denominator, height, denominator)
    return box(b"clap", sides, struct.pack(">iIiI", 0, 1, 0, 1))


def grid(columns: int, rows: int, width: int, height: int) -> bytes:
    """What a grid says of itself."""
    head = bytes((0, 1, (rows - 1) & 255, (columns - 1) & 255))
    return head + struct.pack(">II", width, height)


@dataclass(frozen=True)
class Item:
    """One item of a file.

    Attributes:
        kind: four letters.
        properties: whole boxes.
        data: its bytes.
        made_of: numbers of items that it is derived from.
        belongs_to: number of the item whose transparency or depth it is.
        pieces: offset and length of each of its pieces among all bytes, in place of its own.
    """

    kind: bytes
    properties: tuple[bytes, ...] = ()
    data: bytes = b""
    made_of: tuple[int, ...] = ()
    belongs_to: int = 0
    pieces: tuple[tuple[int, int], ...] = ()


def heic_file(
    items: Sequence[Item], *, primary: int = 1, extra: bytes = b"", brand: bytes = b"heic"
) -> bytes:
    """A file with these items, which are numbered from 1."""
    head = box(b"ftyp", brand, bytes(4), b"mif1", brand)
    names, places, references, properties, associations = [], [], [], [], []
    at = 0
    for number, item in enumerate(items, 1):
        names.append(full_box(b"infe", struct.pack(">HH4sx", number, 0, item.kind), version=2))
        pieces = item.pieces or ((at, len(item.data)),)
        places.append(
            struct.pack(">HHHH", number, 1, 0, len(pieces))
            + b"".join(struct.pack(">II", start, length) for start, length in pieces)
        )
        at += len(item.data)
        if item.made_of:
            told = struct.pack(f">HH{len(item.made_of)}H", number, len(item.made_of), *item.made_of)
            references.append(box(b"dimg", told))
        if item.belongs_to:
            references.append(box(b"auxl", struct.pack(">HHH", number, 1, item.belongs_to)))
        numbers = []
        for one in item.properties:
            if one not in properties:
                properties.append(one)
            numbers.append(properties.index(one) + 1)
        associations.append(
            struct.pack(">HB", number, len(numbers))
            + b"".join(struct.pack(">H", 0x8000 | number) for number in numbers)
        )
    count = struct.pack(">I", len(associations))
    meta = full_box(
        b"meta",
        full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
        full_box(b"pitm", struct.pack(">H", primary)),
        full_box(b"iinf", struct.pack(">H", len(names)), *names),
        full_box(b"iloc", b"\x44\0", struct.pack(">H", len(places)), *places, version=1),
        full_box(b"iref", *references) if references else b"",
        box(
            b"iprp",
            box(b"ipco", *properties),
            full_box(b"ipma", count, *associations, flags=1),
        ),
        box(b"idat", *(item.data for item in items)),
        extra,
    )
    return head + meta


@cache
def _coded(data: bytes) -> tuple[bytes, bytes]:
    directory = read_directory(data)
    ((where, start, length),) = directory.places[directory.primary]
    assert where == 0
    (settings,) = [content for kind, content in directory.properties if kind == b"hvcC"]
    return box(b"hvcC", bytes(settings)), data[start : start + length]


def coded(
    image: Image.Image,
    *more: bytes,
    told: tuple[int, int] | None = None,
    preset: str = "slow",
) -> Item:
    """An item that really is a picture.

    Args:
        more: properties beside those of the picture.
        told: the size that it claims, where that is not its own.
        preset: of the encoder; `ultrafast` for large ones.
    """
    settings, data = _coded(encode(image, "HEIF", quality=80, enc_params={"preset": preset}))
    return Item(b"hvc1", (settings, ispe(*(told or image.size)), *more), data)


def in_tiles(image: Image.Image, side: int, *more: bytes) -> bytes:
    """A photo as a grid of square tiles; its sides are multiples of theirs."""
    columns, rows = image.width // side, image.height // side
    tiles = [
        coded(image.crop((x * side, y * side, (x + 1) * side, (y + 1) * side)))
        for y in range(rows)
        for x in range(columns)
    ]
    whole = Item(
        b"grid",
        (ispe(*image.size), *more),
        grid(columns, rows, *image.size),
        tuple(range(2, len(tiles) + 2)),
    )
    return heic_file([whole, *tiles])
