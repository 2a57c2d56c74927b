"""Which label each face had when: what a recorded session keeps of its frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recognition.vision.tracking import TrackedFace

#: A face that was away for longer begins a new stretch, in seconds.
LONGEST_GAP = 1.0
#: Stretches that one session holds: about 600 kB, or two hours of two restless faces.
MAXIMUM_STRETCHES = 20_000
#: Seconds that one session may last.
MAXIMUM_SECONDS = 2 * 60 * 60

#: What counts in its owner's storage beside the series: the recording itself with its lines in the
#: audit trail, and each stretch.
ROW_BYTES, STRETCH_BYTES = 1000, 40

#: A stretch as it is stored: face, label, start, end, mean confidence.
StoredStretch = tuple[int, str, float, float, float]


@dataclass(slots=True)
class Stretch:
    """A time through which one face kept one label.

    Attributes:
        face: the face's number.
        start: in seconds from the start of the session.
        end: in seconds from the start of the session.
        confidence: mean probability of the label, from 0 to 1.
        n_frames: frames that the mean is made of.
    """

    face: int
    label: str
    start: float
    end: float
    confidence: float
    n_frames: int = 1

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def extend(self, seconds: float, confidence: float) -> None:
        self.end = seconds
        self.n_frames += 1
        self.confidence += (confidence - self.confidence) / self.n_frames


class LabelTimeline:
    """Takes in the faces of frame after frame."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []
        self._open: dict[int, Stretch] = {}

    def add(self, faces: Iterable[TrackedFace], seconds: float) -> None:
        """Add what one frame showed, at a time counted from the start of the session."""
        for face in faces:
            last = self._open.get(face.number)
            if last is not None and seconds - last.end <= LONGEST_GAP:
                if last.label == face.label:
                    last.extend(seconds, face.confidence)
                    continue
                last.end = seconds
            stretch = Stretch(face.number, face.label, seconds, seconds, face.confidence)
            self._open[face.number] = stretch
            self.stretches.append(stretch)

    def open_stretches(self) -> list[list[float]]:
        """What is still needed to go on, beside what is stored: exact values of open stretches."""
        place = {id(stretch): index for index, stretch in enumerate(self.stretches)}
        return [
            [place[id(s)], s.start, s.end, s.confidence, s.n_frames] for s in self._open.values()
        ]

    @classmethod
    def going_on(
        cls, stored: Iterable[StoredStretch], open_stretches: Iterable[Sequence[float]]
    ) -> LabelTimeline:
        """A timeline as it was when both were taken."""
        timeline = cls()
        timeline.stretches = [Stretch(*values) for values in stored]
        for place, start, end, confidence, n_frames in open_stretches:
            stretch = timeline.stretches[int(place)]
            stretch.start, stretch.end, stretch.confidence = start, end, confidence
            stretch.n_frames = int(n_frames)
            timeline._open[stretch.face] = stretch
        return timeline

    def as_stored(self) -> list[StoredStretch]:
        return [
            (s.face, s.label, round(s.start, 2), round(s.end, 2), round(s.confidence, 3))
            for s in self.stretches
        ]


def read_stretches(stored: Iterable[StoredStretch]) -> list[Stretch]:
    """The stretches of a stored session, by their start."""
    stretches = [Stretch(*values) for values in stored]
    return sorted(stretches, key=lambda stretch: (stretch.start, stretch.face))


def shares(stretches: Iterable[Stretch], labels: Iterable[str]) -> dict[str, float]:
    """For each label, its share of the time in which faces were seen; sums to 1, or to 0."""
    seconds = dict.fromkeys(labels, 0.0)
    for stretch in stretches:
        seconds[stretch.label] = seconds.get(stretch.label, 0.0) + stretch.seconds
    total = sum(seconds.values())
    return {label: value / total if total else 0.0 for label, value in seconds.items()}
