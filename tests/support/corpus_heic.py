"""HEIC of the corpus: bombs in a few hundred bytes, lies about sizes, odd turns and cuts."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

from PIL import Image

from tests.support.corpus_files import (
    ACCEPTED,
    BROKEN,
    NOT_A_PHOTO,
    SECRET,
    TOO_COSTLY,
    TOO_LARGE,
    HostileFile,
    small,
)
from tests.support.heic_items import (
    Item,
    box,
    clap,
    coded,
    full_box,
    grid,
    heic_file,
    imir,
    in_tiles,
    irot,
    ispe,
)
from tests.support.pictures import astronaut, encode

_RARE = frozenset({"format_not_accepted"})
_DAMAGED = frozenset({"damaged"})


def heic_files() -> Iterator[HostileFile]:
    """Every one of these files."""
    for kind in (_ordinary, _sizes, _grids, _items, _pieces, _repeated, _turns, _structures):
        for name, data, endings in kind():
            yield HostileFile(f"{name}.heic", data, endings)


_Row = tuple[str, bytes, frozenset[str]]


def _ordinary() -> Iterator[_Row]:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    yield "gps-heic", encode(small(), "HEIF", exif=exif.tobytes()), ACCEPTED
    yield "xmp", encode(small(), "HEIF", xmp=b"<x>" + SECRET + b"</x>"), ACCEPTED
    yield "tiles", in_tiles(astronaut().resize((256, 256)), 64), ACCEPTED
    yield "grey", encode(small().convert("L"), "HEIF"), ACCEPTED
    yield "transparent", encode(small().convert("RGBA"), "HEIF"), ACCEPTED
    burst = encode(small(), "HEIF", save_all=True, append_images=[small()] * 30)
    yield "thirty-pictures", burst, ACCEPTED


def _sizes() -> Iterator[_Row]:
    picture = coded(small())
    settings = picture.properties[0]
    for width, height in ((6_000, 5_000), (2**32 - 1, 2**32 - 1), (16_001, 30), (30, 65_535)):
        lying = replace(picture, properties=(settings, ispe(width, height)))
        yield f"claims-{width}x{height}", heic_file([lying]), TOO_LARGE
    for width, height in ((64, 64), (24, 24), (5_000, 5_000), (129, 127)):
        lying = replace(picture, properties=(settings, ispe(width, height)))
        yield f"claims-{width}x{height}", heic_file([lying]), ACCEPTED | BROKEN
    tiny = replace(picture, properties=(settings, ispe(1, 1)))
    yield "claims-1x1", heic_file([tiny]), frozenset({"too_small"})
    yield (
        "claims-0x0",
        heic_file([replace(picture, properties=(settings, ispe(0, 0)))]),
        frozenset({"too_small"}),
    )
    yield "claims-nothing", heic_file([replace(picture, properties=(settings,))]), _DAMAGED
    twice = replace(picture, properties=(settings, ispe(64, 64), ispe(6_000, 5_000)))
    yield "claims-two-sizes", heic_file([twice]), TOO_LARGE
    short = replace(picture, properties=(settings, box(b"ispe", bytes(6))))
    yield "claims-half-a-size", heic_file([short]), _DAMAGED
    large = coded(Image.new("RGB", (5_000, 5_000), "red"), told=(64, 64))
    yield "picture-is-larger", heic_file([large]), ACCEPTED | BROKEN | TOO_COSTLY


def _grids() -> Iterator[_Row]:
    tile = coded(small())
    size = ispe(256, 256)

    def of(told: bytes, *tiles: Item, made_of: tuple[int, ...] = (2,) * 4) -> bytes:
        return heic_file([Item(b"grid", (size,), told, made_of), *tiles])

    yield "grid-of-one-tile", of(grid(2, 2, 256, 256), tile), ACCEPTED | BROKEN
    for width, height in ((60_000, 60_000), (2**32 - 1, 2**32 - 1), (5_100, 5_100)):
        yield f"grid-{width}", of(grid(2, 2, width, height), tile), TOO_LARGE
    yield "grid-of-256-by-256", of(grid(256, 256, 256, 256), tile), _DAMAGED
    many = grid(25, 25, 256, 256)
    yield "grid-beyond-its-whole", of(many, tile, made_of=(2,) * 625), ACCEPTED | BROKEN
    large = Item(b"hvc1", (tile.properties[0], ispe(5_000, 5_000)), tile.data)
    bomb = of(many, large, made_of=(2,) * 625)
    yield "grid-of-625-large-tiles", bomb, TOO_COSTLY
    yield "grid-too-few", of(grid(3, 3, 256, 256), tile), _DAMAGED
    yield "grid-of-itself", of(grid(2, 2, 256, 256), tile, made_of=(1,) * 4), _RARE
    inner = Item(b"grid", (size,), grid(2, 2, 256, 256), (3,) * 4)
    yield "grid-of-grids", of(grid(2, 2, 512, 512), inner, tile), _RARE
    yield "grid-of-nobody", of(grid(2, 2, 256, 256), tile, made_of=(9,) * 4), _RARE
    yield "grid-torn", of(grid(2, 2, 256, 256)[:7], tile), _DAMAGED
    yield "grid-without-tiles", of(grid(1, 1, 256, 256), made_of=()), _RARE
    overlay = Item(b"iovl", (size,), bytes(2) + b"\xff" * 60, (2,) * 4)
    yield "overlay", heic_file([overlay, tile]), _RARE
    identity = Item(b"iden", (ispe(128, 128),), b"", (2,))
    yield "identity", heic_file([identity, tile]), _RARE


def _items() -> Iterator[_Row]:
    picture = coded(small())
    junk = Item(b"mime", (), b"x")
    yield "items-900", heic_file([picture, *[junk] * 900]), ACCEPTED
    yield "items-5000", heic_file([picture, *[junk] * 5_000]), BROKEN | TOO_COSTLY
    yield "no-primary", heic_file([picture], primary=7), _RARE
    for kind in (b"av01", b"jpeg", b"unci", b"j2k1", b"avc1", b"vvc1", b"mime", b"Exif"):
        other = replace(picture, kind=kind)
        yield f"coded-as-{kind.decode()}", heic_file([other]), _RARE
    clear = replace(coded(small().convert("L")), belongs_to=1)
    many = heic_file([picture, *[clear] * 30])
    yield "thirty-transparencies", many, ACCEPTED | BROKEN
    large = replace(clear, properties=(clear.properties[0], ispe(5_000, 5_000)))
    yield "large-transparencies", heic_file([picture, *[large] * 30]), TOO_COSTLY | TOO_LARGE
    foreign = replace(clear, kind=b"unci")
    yield "transparency-of-another-coder", heic_file([picture, foreign]), _RARE
    yield "settings-missing", heic_file([Item(b"hvc1", (ispe(64, 64),), b"x")]), BROKEN


def _pieces() -> Iterator[_Row]:
    picture = coded(small())
    whole = len(picture.data)
    third = whole // 3
    pieces = ((0, third), (third, third), (2 * third, whole - 2 * third))
    yield "three-pieces", heic_file([replace(picture, pieces=pieces)]), ACCEPTED
    often = replace(picture, pieces=((0, whole),) * 33)
    yield "thirty-three-pieces", heic_file([often]), TOO_COSTLY
    exif = Item(b"Exif", (), b"", pieces=((0, whole),) * 30)
    yield "the-same-bytes-again", heic_file([picture, *[exif] * 30]), TOO_COSTLY
    beyond = replace(picture, pieces=((2**31, 100),))
    yield "pieces-beyond", heic_file([beyond]), BROKEN
    endless = replace(picture, pieces=((0, 2**32 - 1),))
    yield "pieces-endless", heic_file([endless]), TOO_COSTLY
    outside = heic_file([picture])
    at = outside.index(b"iloc") + 12
    there = outside[: at + 4] + b"\0\1" + outside[at + 6 :]
    yield "bytes-in-another-file", there, _RARE


def _turns() -> Iterator[_Row]:
    picture = coded(small())
    for quarters in (1, 2, 3, 255):
        turned = coded(small(), irot(quarters))
        yield f"turned-{quarters}", heic_file([turned]), ACCEPTED | BROKEN
    for axis in (0, 1, 254):
        yield f"mirrored-{axis}", heic_file([coded(small(), imir(axis))]), ACCEPTED | BROKEN
    many = replace(picture, properties=(*picture.properties, *[irot(1)] * 200))
    yield "turned-200-times", heic_file([many]), TOO_COSTLY
    for width, height in ((100, 60), (128, 128)):
        yield f"cut-{width}x{height}", heic_file([coded(small(), clap(width, height))]), ACCEPTED
    for width, height in ((1, 1), (0, 0), (129, 129), (2**32 - 1, 2**32 - 1)):
        cut = coded(small(), clap(width, height))
        yield f"cut-{width}x{height}", heic_file([cut]), ACCEPTED | BROKEN | {"too_small"}
    nothing = coded(small(), clap(100, 60, denominator=0))
    yield "cut-by-nothing", heic_file([nothing]), ACCEPTED | BROKEN
    for name, kind in (("irot", b"irot"), ("imir", b"imir"), ("clap", b"clap")):
        empty = coded(small(), box(kind))
        yield f"empty-{name}", heic_file([empty]), ACCEPTED | BROKEN


def _repeated() -> Iterator[_Row]:
    """Directories that tell of the same again and again, each time in a few bytes."""
    picture = coded(small())
    item = struct.pack(">IHHH", 1, 0, 0, 32)
    places = b"\0\0" + struct.pack(">I", 200_000) + item * 200_000
    others = box(b"cdsc", struct.pack(">HH1000H", 1, 1_000, *range(1_000)))
    nothing = struct.pack(">I", 3_000_000) + struct.pack(">HB", 1, 0) * 3_000_000
    for name, extra in (
        ("places-200000", full_box(b"iloc", places, version=2)),
        ("references-5000000", full_box(b"iref", others * 1_900) * 3),
        ("properties-of-one-3000000", box(b"iprp", full_box(b"ipma", nothing))),
        ("properties-1000000", box(b"iprp", *[box(b"ipco", box(b"free") * 1_999)] * 500)),
    ):
        yield name, heic_file([picture], extra=extra), TOO_COSTLY


def _structures() -> Iterator[_Row]:
    picture = heic_file([coded(small())])
    yield "two-directories", picture + picture[picture.index(b"meta") - 4 :], _DAMAGED
    yield "no-directory", box(b"ftyp", b"heic", bytes(4), b"mif1heic"), NOT_A_PHOTO
    yield "a-film", picture + box(b"moov", bytes(100)), _RARE
    yield "box-of-3-bytes", picture + b"\0\0\0\3free", _DAMAGED
    yield "boxes-3000", picture + box(b"free") * 3_000, _DAMAGED
    yield "box-to-the-end", picture + b"\0\0\0\0free" + bytes(500), ACCEPTED
    large = picture + b"\0\0\0\1free" + struct.pack(">Q", 2**63) + bytes(90)
    yield "box-of-63-bits", large, ACCEPTED | BROKEN
    extra = full_box(b"meta", full_box(b"pitm", b"\0\1")) * 500
    nested = heic_file([coded(small())], extra=extra)
    yield "directories-in-directories", nested, ACCEPTED | BROKEN
    free = heic_file([coded(small())], extra=box(b"free") * 3_000)
    yield "boxes-in-the-directory", free, _DAMAGED
    for brand, endings in ((b"heix", ACCEPTED), (b"mif1", NOT_A_PHOTO), (b"hevc", NOT_A_PHOTO)):
        yield f"brand-{brand.decode()}", heic_file([coded(small())], brand=brand), endings
    as_avif = heic_file([coded(small())], brand=b"avif")
    yield "named-avif", as_avif, NOT_A_PHOTO
