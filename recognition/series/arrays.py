"""A series as arrays, for sums over many samples: a hundred times as fast as one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.models import Recording
from recognition.series.columns import Columns, decode_columns
from recognition.series.storing import stored_parts


@dataclass(frozen=True, slots=True)
class Part:
    """Samples in the order of time.

    Attributes:
        time_ms: int64 ``(n,)``, milliseconds since the start of the recording.
        face: int64 ``(n,)``, numbers of faces.
        label: int64 ``(n,)``, places in the recording's labels.
        probabilities: float64 ``(n, labels)``; 0 for a label that the model did not know.
    """

    time_ms: NDArray[np.int64]
    face: NDArray[np.int64]
    label: NDArray[np.int64]
    probabilities: NDArray[np.float64]


def parts(recording: Recording, from_ms: int = 0, to_ms: int | None = None) -> Iterator[Part]:
    """A recording's samples, part by part.

    Args:
        recording: whose.
        from_ms, to_ms: what is wanted, without `to_ms` itself; None for all the rest.

    Raises:
        SeriesDamaged: what is stored is not what was written.
    """
    for data in stored_parts(recording, from_ms, to_ms):
        columns = decode_columns(data)
        wanted = columns.time_ms >= from_ms
        if to_ms is not None:
            wanted &= columns.time_ms < to_ms
        if wanted.any():
            yield _in_order_of(recording.labels, columns, wanted)


def _in_order_of(labels: Sequence[str], columns: Columns, wanted: NDArray[np.bool_]) -> Part:
    places = np.array([labels.index(label) for label in columns.labels], np.int64)
    probabilities = np.zeros((int(wanted.sum()), len(labels)))
    probabilities[:, places] = columns.probabilities[wanted]
    return Part(
        columns.time_ms[wanted],
        columns.whole["face"][wanted].astype(np.int64),
        places[columns.whole["label"][wanted].astype(np.int64)],
        probabilities,
    )
