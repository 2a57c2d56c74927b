"""What each face showed from marker to marker: shares, and means with how sure they are.

Samples that follow each other are alike, so their number says little: the interval comes from the
means of blocks of some seconds, which are far enough apart to count as separate (batch means).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from recognition.models import Recording
from recognition.series.answers import Answer, effective_labels
from recognition.series.arrays import parts

#: The shortest block, in milliseconds: ten times as long as the tracker averages.
BLOCK_MS = 2500
#: Blocks of a stretch, at most, and below which there is no interval.
MOST_BLOCKS, FEWEST_BLOCKS = 40, 4


@dataclass(frozen=True, slots=True)
class Span:
    """A time until `end_ms`, itself left out; `name` is that of the marker it begins with."""

    start_ms: int
    end_ms: int
    name: str = ""

    @property
    def start(self) -> float:
        """In seconds."""
        return self.start_ms / 1000

    @property
    def end(self) -> float:
        """In seconds."""
        return self.end_ms / 1000


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean probability; `margin` is half of its 95 % interval, None where that is unknown."""

    value: float
    margin: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One face in one stretch.

    Attributes:
        n: its samples.
        shares: of each label among them, from 0 to 1; of the owner's answers where they gave some.
        means: of the model's probability of each label.
        changes: the means less those of the baseline; None without one, or without the face in it.
    """

    span: Span
    face: int
    n: int
    shares: dict[str, float]
    means: dict[str, Mean]
    changes: dict[str, float] | None


def spans(recording: Recording) -> list[Span]:
    """From the start to the first marker, from each marker to the next, and to the end."""
    end_ms = round(recording.seconds * 1000) + 1
    starts = [(0, "")]
    for marker in recording.markers.all():
        if marker.time_ms >= end_ms:
            break
        if marker.time_ms == starts[-1][0]:
            name = f"{starts[-1][1]}, {marker.name}" if starts[-1][1] else marker.name
            starts[-1] = (marker.time_ms, name)
        else:
            starts.append((marker.time_ms, marker.name))
    ends = [start for start, _name in starts[1:]] + [end_ms]
    return [Span(start, end, name) for (start, name), end in zip(starts, ends, strict=True)]


def rows(
    recording: Recording,
    places: Sequence[Span],
    answers: Sequence[Answer] = (),
    baseline: Span | None = None,
) -> list[Row]:
    """Every face in every stretch in which it was seen, by stretch and number.

    Args:
        recording: whose.
        places: by their start, without overlap.
        answers: what its owner said, from the first to the last.
        baseline: what means are also given as changes from.

    Raises:
        SeriesDamaged: what is stored is not what was written.
    """
    labels: list[str] = recording.labels
    normal: dict[int, _Sums] = {}
    if baseline is not None:
        sums_of_all = _sums(recording, [baseline], answers)
        normal = {face: sums for (_number, face), sums in sums_of_all.items()}
    return [
        _row(places[number], face, sums, labels, normal.get(face))
        for (number, face), sums in sorted(_sums(recording, places, answers).items())
    ]


def _sums(
    recording: Recording, places: Sequence[Span], answers: Sequence[Answer]
) -> dict[tuple[int, int], _Sums]:
    """Of each face in each stretch where it was seen, by place in `places` and number."""
    labels: list[str] = recording.labels
    found: dict[tuple[int, int], _Sums] = {}
    starts = np.array([span.start_ms for span in places])
    # Only what the stretches are of is read: a page of them is not the whole recording.
    for part in parts(recording, places[0].start_ms, places[-1].end_ms) if places else ():
        shown = effective_labels(part, labels, answers)
        at = np.searchsorted(starts, part.time_ms, side="right") - 1
        for face in np.unique(part.face).tolist():
            mine = part.face == face
            for number in np.unique(at[mine]).tolist():
                span = places[number]
                here = mine & (at == number) & (part.time_ms < span.end_ms)
                if here.any():
                    sums = found.setdefault((number, face), _Sums(span, len(labels)))
                    sums.add(part.time_ms[here], part.probabilities[here], shown[here])
    return found


class _Sums:
    """Of one face in one stretch, in blocks."""

    def __init__(self, span: Span, n_labels: int) -> None:
        length = max(1, span.end_ms - span.start_ms)
        self._start = span.start_ms
        self._block = max(float(BLOCK_MS), length / MOST_BLOCKS)
        n_blocks = math.ceil(length / self._block)
        self._counts = np.zeros(n_blocks)
        self._sums = np.zeros((n_blocks, n_labels))
        self._shown: dict[str, int] = {}

    def add(
        self,
        time_ms: NDArray[np.int64],
        probabilities: NDArray[np.float64],
        shown: NDArray[np.str_],
    ) -> None:
        places = ((time_ms - self._start) / self._block).astype(np.int64)
        np.add.at(self._counts, places, 1)
        np.add.at(self._sums, places, probabilities)
        for label, n in zip(*np.unique(shown, return_counts=True), strict=True):
            self._shown[str(label)] = self._shown.get(str(label), 0) + int(n)

    @property
    def n(self) -> int:
        return int(self._counts.sum())

    @property
    def shares(self) -> dict[str, float]:
        return {label: n / self.n for label, n in self._shown.items()}

    @property
    def means(self) -> NDArray[np.float64]:
        return np.asarray(self._sums.sum(axis=0) / max(1, self.n))

    @property
    def margins(self) -> NDArray[np.float64] | None:
        """Halves of the intervals, from those blocks that are at least half full."""
        full = self._counts >= 0.5 * self._counts.max()
        n_blocks = int(full.sum())
        if n_blocks < FEWEST_BLOCKS:
            return None
        means = self._sums[full] / self._counts[full][:, None]
        error = means.std(axis=0, ddof=1) / math.sqrt(n_blocks)
        return np.asarray(t_quantile(n_blocks - 1) * error)


def _row(span: Span, face: int, sums: _Sums, labels: list[str], normal: _Sums | None) -> Row:
    margins, means = sums.margins, sums.means
    changes = None
    if normal is not None:
        changes = dict(zip(labels, (means - normal.means).tolist(), strict=True))
    return Row(
        span,
        face,
        sums.n,
        sums.shares,
        {
            label: Mean(float(means[i]), None if margins is None else float(margins[i]))
            for i, label in enumerate(labels)
        },
        changes,
    )


def t_quantile(freedom: int, share: float = 0.975) -> float:
    """Student's t, by Hill's expansion (1970) from the normal one; to a hundredth from 3 on.

    Args:
        freedom: degrees of it, at least 3.
        share: below the quantile.
    """
    z = NormalDist().inv_cdf(share)
    n = float(freedom)
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * n**4)
    )
