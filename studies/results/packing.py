"""A participation's grids as a few bytes: what is expensive, made once."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from studies.results.curves import Floats, Halves

#: A change of how grids are made is a new version, and all are made anew.
VERSION = 1
_LENGTH = struct.Struct("<I")


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
    by_block: Mapping[int, Floats | Halves]


def pack(grids: Grids) -> bytes:
    """As they are stored: float16, to about three digits."""
    header = json.dumps(
        {
            "labels": grids.labels,
            "n_moments": grids.n_moments,
            "paused_ms": grids.paused_ms,
            "blocks": [[pk, len(grid)] for pk, grid in grids.by_block.items()],
        }
    ).encode()
    columns = [grid.astype("<f2").tobytes() for grid in grids.by_block.values()]
    return _LENGTH.pack(len(header)) + header + zlib.compress(b"".join(columns), 1)


def unpack(stored: bytes, *, with_grids: bool = True) -> Grids:
    """What :func:`pack` stored, as it is stored: a study's grids as float64 may be gigabytes.

    Args:
        stored: by :func:`pack`.
        with_grids: otherwise only what is said beside them, and `by_block` is empty.
    """
    (length,) = _LENGTH.unpack_from(stored)
    header = json.loads(stored[_LENGTH.size : _LENGTH.size + length])
    by_block: dict[int, Halves] = {}
    if with_grids:
        n_labels = len(header["labels"])
        payload = zlib.decompress(stored[_LENGTH.size + length :])
        values = np.frombuffer(payload, "<f2").reshape(-1, max(1, n_labels))
        begin = 0
        for pk, n_points in header["blocks"]:
            by_block[pk] = values[begin : begin + n_points]
            begin += n_points
    return Grids(header["labels"], header["n_moments"], header["paused_ms"], by_block)
