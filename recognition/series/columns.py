"""Samples as columns, and columns as a few compressed bytes; docs/SERIES.md describes both.

An hour of one face at ten samples a second takes 0.5 MB so, in chunks that can be read one by one.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

MAGIC = b"VSR1"
#: The two lengths after the magic: of the header, and of what follows before it was compressed.
_LENGTHS = struct.Struct("<II")
#: Above this a chunk is not one of ours, in bytes; they hold some thousand samples.
MAXIMUM_BYTES = 16 * 1024 * 1024


class SeriesDamaged(ValueError):
    """Stored bytes are not what was written."""


class GapReason(IntEnum):
    """Why there are no samples for a while."""

    NO_FACE = 1
    DROPPED = 2
    PAUSED = 3

    @property
    def code(self) -> str:
        """As it is sent and written to files."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without samples, in milliseconds since the start of the recording."""

    start_ms: int
    end_ms: int
    reason: GapReason


@dataclass(frozen=True, slots=True)
class Sample:
    """One face at one moment.

    Attributes:
        time_ms: milliseconds since the start of the recording.
        face: the face's number: from 1, never an identity.
        x, y, width, height: its box, in pixels of the frame as it came.
        label: the steady label, as the live page shows it.
        uncertain: the model is less sure than its manifest asks for.
        probabilities: label to probability, from 0 to 1.
        sharpness: variance of the Laplacian over that of the grey levels in a crop of 48 pixels;
            below 0.06 a photo's face would be rejected as blurred.
        pixels: side of the face before it was turned upright, in pixels of the frame.
        turn: by how much it is turned clockwise, in degrees from -180 to 180.
    """

    time_ms: int
    face: int
    x: int
    y: int
    width: int
    height: int
    label: str
    uncertain: bool
    probabilities: dict[str, float]
    sharpness: float
    pixels: int
    turn: float


#: Columns of whole numbers beside the time, as they are stored.
_WHOLE = (
    ("face", "<u2"), ("x", "<u2"), ("y", "<u2"), ("width", "<u2"), ("height", "<u2"),
    ("label", "<u1"), ("uncertain", "<u1"), ("pixels", "<u2"),
)  # fmt: skip


def encode(samples: Sequence[Sample], gaps: Sequence[Gap], labels: Sequence[str]) -> bytes:
    """Samples in order of time, and gaps, as they are stored.

    Args:
        samples: whose probabilities know `labels` and no others.
        gaps: by their start.
        labels: in the order of their columns, at most 255.
    """
    number = {label: index for index, label in enumerate(labels)}
    columns: list[NDArray[np.generic]] = [
        np.diff(np.array([s.time_ms for s in samples], "<i4"), prepend=np.int32(0)).astype("<i4")
    ]
    for name, kind in _WHOLE:
        values = (number[s.label] if name == "label" else int(getattr(s, name)) for s in samples)
        limit = int(np.iinfo(kind).max)
        columns.append(np.array([min(limit, max(0, value)) for value in values], kind))
    columns += [np.array([s.probabilities[label] for s in samples], "<f2") for label in labels]
    columns += [np.array([getattr(s, name) for s in samples], "<f2") for name in _MEASURED]
    columns += [np.array([gap.start_ms for gap in gaps], "<i4")]
    columns += [np.array([gap.end_ms for gap in gaps], "<i4")]
    columns += [np.array([gap.reason for gap in gaps], "<u1")]
    header = json.dumps({"samples": len(samples), "gaps": len(gaps), "labels": list(labels)})
    payload = b"".join(_split(column) for column in columns)
    start = MAGIC + _LENGTHS.pack(len(header.encode()), len(payload)) + header.encode()
    return start + zlib.compress(payload, 6)


_MEASURED = ("sharpness", "turn")


def decode(stored: bytes) -> tuple[list[Sample], list[Gap]]:
    """What :func:`encode` stored; probabilities and what is measured to about three digits.

    Raises:
        SeriesDamaged: it is something else.
    """
    try:
        return _decode(stored)
    except (struct.error, ValueError, KeyError, TypeError, IndexError, zlib.error) as error:
        raise SeriesDamaged("A stored series cannot be read.") from error


@dataclass(frozen=True, slots=True)
class Columns:
    """Samples as they are stored, for arithmetic.

    Attributes:
        labels: of the columns of `probabilities`.
        time_ms: of n samples, in order.
        whole: face, box, label (its place in `labels`), uncertain and pixels, by name; n each.
        probabilities: n rows, a column for each label, from 0 to 1.
        sharpness, turn: n each.
    """

    labels: list[str]
    time_ms: NDArray[np.int64]
    whole: dict[str, NDArray[np.generic]]
    probabilities: NDArray[np.float64]
    sharpness: NDArray[np.float64]
    turn: NDArray[np.float64]
    gaps: list[Gap]


def decode_columns(stored: bytes) -> Columns:
    """The same as :func:`decode`, thirty times as fast where no sample is looked at by itself.

    Raises:
        SeriesDamaged: it is something else.
    """
    try:
        return _columns(stored)
    except (struct.error, ValueError, KeyError, TypeError, IndexError, zlib.error) as error:
        raise SeriesDamaged("A stored series cannot be read.") from error


def _columns(stored: bytes) -> Columns:
    if stored[:4] != MAGIC:
        raise ValueError("no series")
    header_length, length = _LENGTHS.unpack_from(stored, 4)
    begin = 4 + _LENGTHS.size
    header = json.loads(stored[begin : begin + header_length])
    n, n_gaps, labels = int(header["samples"]), int(header["gaps"]), list(header["labels"])
    if length > MAXIMUM_BYTES:
        raise ValueError("too long")
    inflating = zlib.decompressobj()
    # With its checksum, which only the end of the stream proves.
    payload = inflating.decompress(stored[begin + header_length :], length + 1)
    if len(payload) != length or not inflating.eof:
        raise ValueError("cut off")
    reader = _Reader(payload)
    times = np.cumsum(reader.take("<i4", n), dtype=np.int64)
    whole = {name: reader.take(kind, n) for name, kind in _WHOLE}
    floats = [reader.take("<f2", n).astype(float).round(4) for _label in labels]
    sharpness, turn = (reader.take("<f2", n).astype(float).round(4) for _ in _MEASURED)
    starts, ends = reader.take("<i4", n_gaps).tolist(), reader.take("<i4", n_gaps).tolist()
    gaps = zip(starts, ends, map(GapReason, reader.take("<u1", n_gaps).tolist()), strict=True)
    return Columns(
        labels,
        times,
        whole,
        np.stack(floats, axis=1) if floats else np.zeros((n, 0)),
        sharpness,
        turn,
        [Gap(start, end, reason) for start, end, reason in gaps],
    )


def _decode(stored: bytes) -> tuple[list[Sample], list[Gap]]:
    columns = _columns(stored)
    labels = columns.labels
    whole = {name: values.tolist() for name, values in columns.whole.items()}
    floats = columns.probabilities.tolist()
    sharpness, turn = columns.sharpness.tolist(), columns.turn.tolist()
    samples = [
        Sample(
            time_ms, whole["face"][i], whole["x"][i], whole["y"][i], whole["width"][i],
            whole["height"][i], labels[whole["label"][i]], bool(whole["uncertain"][i]),
            dict(zip(labels, floats[i], strict=True)),
            sharpness[i], whole["pixels"][i], turn[i],
        )
        for i, time_ms in enumerate(columns.time_ms.tolist())
    ]  # fmt: skip
    return samples, columns.gaps


def _split(column: NDArray[np.generic]) -> bytes:
    """A column's first bytes, then its second ones, and so on: they compress better apart."""
    return column.view("u1").reshape(len(column), column.itemsize).T.tobytes()


class _Reader:
    """Takes columns off a payload, one after the other."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._at = 0

    def take(self, kind: str, n: int) -> NDArray[np.generic]:
        size = np.dtype(kind).itemsize
        part = self._payload[self._at : self._at + n * size]
        self._at += n * size
        split = np.frombuffer(part, "u1").reshape(size, n)
        return np.ascontiguousarray(split.T).reshape(-1).view(kind)
