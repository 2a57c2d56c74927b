"""A part of a series in as many places as a chart has room for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.models import Recording
from recognition.series.arrays import parts

#: Faces that a chart shows: those that were in view for longest.
MOST_FACES = 8


@dataclass(slots=True)
class _Sums:
    """Of one face: samples, their times and probabilities, in each place."""

    n: NDArray[np.float64]
    time_ms: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    def add(self, places: NDArray[np.int64], time_ms: Any, probabilities: Any) -> None:
        np.add.at(self.n, places, 1)
        np.add.at(self.time_ms, places, time_ms)
        np.add.at(self.probabilities, places, probabilities)

    def as_dict(self, face: int, labels: list[str]) -> dict[str, Any]:
        filled = self.n > 0
        n = self.n[filled]
        means = self.probabilities[filled] / n[:, None]
        return {
            "face": face,
            "t": np.round(self.time_ms[filled] / n).astype(int).tolist(),
            "n": n.astype(int).tolist(),
            "p": {label: means[:, i].round(4).tolist() for i, label in enumerate(labels)},
        }


@dataclass(slots=True)
class Overview:
    """Means of a part of a series.

    Attributes:
        labels: in their order.
        step_ms: how long a place is.
        faces: of each, ``face``, and for each place that has samples their mean time ``t``, their
            number ``n``, and mean probabilities ``p`` by label. Those longest in view come.
        everybody: the same of all faces together; its ``face`` is 0.
        n_faces: how many there are.
    """

    labels: list[str]
    step_ms: float
    faces: list[dict[str, Any]] = field(default_factory=list)
    everybody: dict[str, Any] = field(default_factory=dict)
    n_faces: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "labels": self.labels,
            "step_ms": self.step_ms,
            "faces": self.faces,
            "everybody": self.everybody,
            "n_faces": self.n_faces,
        }


def look_at(recording: Recording, from_ms: int, to_ms: int, places: int) -> Overview:
    """Sum up a part of a recording.

    Args:
        recording: whose.
        from_ms, to_ms: which part, without `to_ms` itself.
        places: in how many of the same length, at least 1.

    Raises:
        SeriesDamaged: what is stored is not what was written.
    """
    labels: list[str] = recording.labels
    step = max(1.0, (to_ms - from_ms) / places)
    sums: dict[int, _Sums] = {}

    def of(face: int) -> _Sums:
        if face not in sums:
            sums[face] = _Sums(np.zeros(places), np.zeros(places), np.zeros((places, len(labels))))
        return sums[face]

    for part in parts(recording, from_ms, to_ms):
        at = np.minimum(places - 1, ((part.time_ms - from_ms) / step).astype(np.int64))
        for face in np.unique(part.face):
            mine = part.face == face
            of(int(face)).add(at[mine], part.time_ms[mine], part.probabilities[mine])
        of(0).add(at, part.time_ms, part.probabilities)
    everybody = of(0)
    seen = sorted((face for face in sums if face), key=lambda face: -sums[face].n.sum())
    return Overview(
        labels,
        step,
        [sums[face].as_dict(face, labels) for face in sorted(seen[:MOST_FACES])],
        everybody.as_dict(0, labels),
        len(seen),
    )
