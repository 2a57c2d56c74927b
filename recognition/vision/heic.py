"""What a HEIC says of itself, in the boxes of ISO 23008-12; nothing is decoded here.

A HEIC is a small file system: items, where their bytes lie, what they are made of and what is to
be done with them. The picture is one coded item, or a grid of them, as phones write it. All that
the decoder would act on is added up before it may begin.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from recognition.vision.boxes import MAXIMUM_BOXES, Box, boxes, brands
from recognition.vision.errors import damaged, rare_kind, too_costly

#: Brands of a picture in HEVC.
BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})
#: Items of a file: 25 megapixels in tiles of 256 pixels a side are 400.
MAXIMUM_ITEMS = 1_000
#: Pieces that an item's bytes may lie in.
MAXIMUM_PIECES = 32
#: Boxes, items, pieces, references and properties that the directory tells of in all, however often
#: it tells of the same: a photo of 400 tiles needs about 4,000.
MAXIMUM_ENTRIES = 20_000
#: Turns, mirrorings and cuts of one item; phones write one.
MAXIMUM_TURNS = 3
#: Pixels to decode for the picture: its tiles, its transparency, what lies outside.
MAXIMUM_DECODED_PIXELS = 60_000_000

_TURNS = frozenset({b"irot", b"imir", b"clap"})


@cache
def teach_pillow() -> None:
    """Let Pillow open HEIC. Only where one is decoded: no other process loads the decoder."""
    import pillow_heif

    # One thread and its memory, and the picture alone.
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    pillow_heif.register_heif_opener()


def is_heic(data: bytes) -> bool:
    """Whether a file begins as a HEIC."""
    return bool(brands(data) & BRANDS)


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height of the largest picture that is decoded, before any turn or cut.

    Raises:
        ImageDamaged: the structure breaks off or contradicts itself.
        ImageFormatNotAccepted: a sequence, or a picture that is made in another way.
        ImageTooCostly: it asks for more work than any photo needs.
        struct.error, IndexError: a box breaks off.
    """
    file = read_directory(data)
    sizes, n_pixels = [], 0
    for item, times in _decoded(file).items():
        width, height = file.size_of(item)
        sizes.append((width, height))
        if file.kinds[item] == b"grid":
            n_tiles, *whole = file.grid(item)
            if n_tiles != len(file.made_of.get(item, ())):
                raise damaged()
            sizes.append((whole[0], whole[1]))
        else:
            n_pixels += times * width * height
    largest = max(sizes, key=lambda size: size[0] * size[1])
    # Where the picture itself is too large, that is the reason to tell.
    if n_pixels > max(MAXIMUM_DECODED_PIXELS, 2 * largest[0] * largest[1]):
        raise too_costly()
    return largest


@dataclass
class Directory:
    """The parts of a file's directory that decoding follows."""

    data: bytes
    primary: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict)
    #: Where an item's bytes lie: in the file or beside the directory, from where, how many.
    places: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    made_of: dict[int, tuple[int, ...]] = field(default_factory=dict)
    #: Items that belong to another, such as its transparency.
    belonging: dict[int, list[int]] = field(default_factory=dict)
    properties: list[tuple[bytes, memoryview]] = field(default_factory=list)
    properties_of: dict[int, list[int]] = field(default_factory=dict)
    inner: memoryview = field(default_factory=lambda: memoryview(b""))
    entries_left: int = MAXIMUM_ENTRIES

    def count(self, n_entries: int) -> None:
        """Take note of what is going to be read.

        Raises:
            ImageTooCostly: that is more than any photo needs, in all.
        """
        self.entries_left -= n_entries
        if self.entries_left < 0:
            raise too_costly()

    def boxes(self, view: memoryview, maximum: int = MAXIMUM_BOXES) -> Iterator[Box]:
        """As :func:`boxes.boxes`, each counted."""
        for found in boxes(view, maximum):
            self.count(1)
            yield found

    def size_of(self, item: int) -> tuple[int, int]:
        """What an item's properties tell of its size; the larger, if they tell twice."""
        told, n_turns = [], 0
        for number in self.properties_of.get(item, ()):
            kind, content = self.properties[number - 1]
            if number and kind == b"ispe":
                told.append(struct.unpack_from(">II", content, 4))
            n_turns += kind in _TURNS
        if not told:
            raise damaged()
        if n_turns > MAXIMUM_TURNS:
            raise too_costly()
        return max(told, key=lambda size: size[0] * size[1])

    def grid(self, item: int) -> tuple[int, int, int]:
        """Tiles, width and height of a grid, which its own bytes tell."""
        sources = (memoryview(self.data), self.inner)
        told = b"".join(
            bytes(sources[where][start : start + length])
            for where, start, length in self.places.get(item, ())
        )
        _version, flags, rows, columns = struct.unpack_from(">BBBB", told)
        width, height = struct.unpack_from(">II" if flags & 1 else ">HH", told, 4)
        return (rows + 1) * (columns + 1), width, height


def read_directory(data: bytes) -> Directory:
    """What the file says of its items.

    Raises:
        As :func:`size_of`.
    """
    file = Directory(data)
    outer = list(file.boxes(memoryview(data)))
    kinds = [kind for kind, _content in outer]
    if b"moov" in kinds:
        raise rare_kind("HEIC")
    if kinds.count(b"meta") != 1:
        raise damaged()
    for kind, content in file.boxes(outer[kinds.index(b"meta")][1][4:]):
        match kind:
            case b"pitm":
                file.primary = int.from_bytes(content[4 : 6 if content[0] == 0 else 8], "big")
            case b"iinf":
                _read_items(file, content)
            case b"iloc":
                _read_places(file, content)
            case b"iref":
                _read_references(file, content)
            case b"idat":
                file.inner = content
            case b"iprp":
                _read_properties(file, content)
    return file


def _decoded(file: Directory) -> Counter[int]:
    """Items that are decoded for the picture, and how often."""
    decoded = Counter((file.primary, *file.belonging.get(file.primary, ())))
    for item in tuple(decoded):
        kind = file.kinds.get(item)
        if kind == b"grid":
            tiles = file.made_of.get(item, ())
            decoded.update(tiles)
            kinds = {file.kinds.get(tile) for tile in tiles}
        else:
            kinds = {kind}
        # An overlay, a picture of another coder, a grid of grids …
        if kinds != {b"hvc1"}:
            raise rare_kind("HEIC")
    return decoded


def _read_items(file: Directory, content: memoryview) -> None:
    at = 6 if content[0] == 0 else 8
    for kind, entry in file.boxes(content[at:], MAXIMUM_ITEMS):
        if kind == b"infe" and entry[0] in {2, 3}:
            wide = entry[0] == 3
            (number,) = struct.unpack_from(">I" if wide else ">H", entry, 4)
            at = 10 if wide else 8
            file.kinds[number] = bytes(entry[at : at + 4])


def _read_places(file: Directory, content: memoryview) -> None:
    version, sizes, more = content[0], content[4], content[5]
    of_start, of_length, of_base = sizes >> 4, sizes & 15, more >> 4
    of_index = more & 15 if version in {1, 2} else 0
    reader = _Reader(content, 6)
    n_bytes = 0
    for _item in range(reader.number(4 if version == 2 else 2)):
        number = reader.number(4 if version == 2 else 2)
        where = reader.number(2) & 15 if version in {1, 2} else 0
        outside, base = reader.number(2), reader.number(of_base)
        n_pieces = reader.number(2)
        if where > 1 or outside:
            raise rare_kind("HEIC")
        if n_pieces > MAXIMUM_PIECES:
            raise too_costly()
        file.count(1 + n_pieces)
        pieces = file.places.setdefault(number, [])
        for _piece in range(n_pieces):
            reader.number(of_index)
            start, length = base + reader.number(of_start), reader.number(of_length)
            if where == 0 and start + length > len(file.data):
                raise damaged()
            # Without a length it is all there is.
            pieces.append((where, start, length or len(file.data)))
            n_bytes += pieces[-1][2]
    # Bytes may be used twice, but not a thousand times.
    if n_bytes > 2 * len(file.data):
        raise too_costly()


def _read_references(file: Directory, content: memoryview) -> None:
    n_bytes = 2 if content[0] == 0 else 4
    for kind, reference in file.boxes(content[4:]):
        reader = _Reader(reference, 0)
        item = reader.number(n_bytes)
        n_others = reader.number(2)
        file.count(n_others)
        others = tuple(reader.number(n_bytes) for _other in range(n_others))
        if kind == b"dimg":
            if item in file.made_of:
                raise damaged()
            file.made_of[item] = others
        elif kind == b"auxl":
            for other in others:
                file.belonging.setdefault(other, []).append(item)


def _read_properties(file: Directory, content: memoryview) -> None:
    for kind, inner in file.boxes(content):
        if kind == b"ipco":
            file.properties.extend(file.boxes(inner))
        elif kind == b"ipma":
            reader = _Reader(inner, 4)
            is_wide = bool(inner[3] & 1)
            for _item in range(reader.number(4)):
                item = reader.number(2 if inner[0] == 0 else 4)
                numbers = file.properties_of.setdefault(item, [])
                n_properties = reader.number(1)
                file.count(1 + n_properties)
                for _property in range(n_properties):
                    # The highest bit says whether a reader must know the property.
                    told = reader.number(2) & 0x7FFF if is_wide else reader.number(1) & 0x7F
                    numbers.append(told)


class _Reader:
    """Numbers that follow each other, the highest byte first."""

    def __init__(self, content: memoryview, at: int) -> None:
        self._content, self._at = content, at

    def number(self, n_bytes: int) -> int:
        """The next one.

        Raises:
            IndexError: there are no more bytes.
        """
        end = self._at + n_bytes
        if end > len(self._content):
            raise IndexError
        number = int.from_bytes(self._content[self._at : end], "big")
        self._at = end
        return number
