"""A participation's grids as a few bytes: what is expensive, made once."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studies.results.curves import Floats

#: A change of how grids are made or packed is a new version, and all are made anew.
VERSION = 2
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class PackedGrid:
    """A grid that takes the room of its bytes until NumPy works with it.

    Of thousands of participants all of a page's grids would be gigabytes, and of those who gave
    next to nothing, too: a grid is as long as its visit.

    Attributes:
        data: packed: float16, a row for each point, a column for each of `n_stored` labels.
        n_points: rows.
        columns: which of the stored columns the grid has; None for one of NaN.
    """

    data: bytes
    n_points: int
    n_stored: int
    columns: tuple[int | None, ...]

    def __len__(self) -> int:
        return self.n_points

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        stored = np.frombuffer(zlib.decompress(self.data), "<f2")
        values = stored.reshape(self.n_points, self.n_stored)
        found = np.full((self.n_points, len(self.columns)), np.nan, np.float16)
        for place, column in enumerate(self.columns):
            if column is not None:
                found[:, place] = values[:, column]
        return found if dtype is None else found.astype(dtype, copy=False)

    def with_labels(self, known: Sequence[str], wanted: Sequence[str]) -> PackedGrid:
        """Columns in another order; NaN for labels that a model did not know."""
        columns = [self.columns[known.index(name)] if name in known else None for name in wanted]
        return PackedGrid(self.data, self.n_points, self.n_stored, tuple(columns))


@dataclass(frozen=True, slots=True)
class Grids:
    """What a recording comes to.

    Attributes:
        labels: columns of the grids.
        n_moments: moments at which a face was seen.
        paused_ms: how long no frames came.
        by_block: a grid for each block that was seen to its end, by the block's primary key.
    """

    labels: list[str]
    n_moments: int
    paused_ms: int
    by_block: Mapping[int, Floats]


@dataclass(frozen=True, slots=True)
class PackedGrids:
    """The same as it is kept."""

    labels: list[str]
    n_moments: int
    paused_ms: int
    by_block: Mapping[int, PackedGrid]


def pack(grids: Grids) -> bytes:
    """As they are stored: float16, to about three digits; each block's on its own."""
    packed = {
        pk: zlib.compress(grid.astype("<f2").tobytes(), 1) for pk, grid in grids.by_block.items()
    }
    header = json.dumps(
        {
            "labels": grids.labels,
            "n_moments": grids.n_moments,
            "paused_ms": grids.paused_ms,
            "blocks": [[pk, len(grid), len(packed[pk])] for pk, grid in grids.by_block.items()],
        }
    ).encode()
    return b"".join([_LENGTH.pack(len(header)), header, *packed.values()])


def unpack(stored: bytes, *, with_grids: bool = True) -> PackedGrids:
    """What :func:`pack` stored.

    Args:
        stored: by :func:`pack`.
        with_grids: otherwise only what is said beside them, and `by_block` is empty.
    """
    (length,) = _LENGTH.unpack_from(stored)
    begin = _LENGTH.size + length
    header = json.loads(stored[_LENGTH.size : begin])
    labels, by_block = header["labels"], {}
    if with_grids:
        columns = tuple(range(len(labels)))
        for pk, n_points, n_bytes in header["blocks"]:
            data = stored[begin : begin + n_bytes]
            by_block[pk] = PackedGrid(data, n_points, len(labels), columns)
            begin += n_bytes
    return PackedGrids(labels, header["n_moments"], header["paused_ms"], by_block)
