"""Follow faces from frame to frame, so that numbers stay and labels do not flicker.

A classifier looks at every frame afresh and changes its mind on noise. Here each face keeps a
running mean of its probabilities over the last moments, and its label changes only once another
one leads clearly. Everything counts seconds, not frames: five frames a second and thirty give the
same picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recognition.vision.types import (
    BoundingBox,
    Face,
    FoundBy,
    center_distance,
    enclosing_ratio,
    overlap,
)


@dataclass(frozen=True)
class TrackingSettings:
    """How faces are followed.

    Attributes:
        minimum_overlap: intersection over union above which two boxes are the same face.
        reach: how far a face may have gone where its boxes do not overlap, in sides of its box:
            so much at once, and so much more for each second since it was seen.
        size_ratio: by how much its side may have changed meanwhile.
        forget_after: seconds a face stays known without being seen.
        probability_seconds: time constant of the probabilities' mean. A full turn from one
            label to another crosses over after ``0.69`` of it, a doubtful one after about twice.
        label_seconds: a face is labelled again after this much at the earliest: at 30 frames a
            second in every second one, at 20 or fewer in each.
        label_lead: probability by which another label must lead before it takes over.
        box_seconds: time constant of the box; removes the detector's jitter.
        box_jump: move, as a share of the box's side, from which the box follows at once.
    """

    minimum_overlap: float = 0.15
    reach: tuple[float, float] = (0.5, 1.5)
    size_ratio: float = 2.0
    forget_after: float = 2.0
    probability_seconds: float = 0.25
    label_seconds: float = 0.045
    label_lead: float = 0.12
    box_seconds: float = 0.12
    box_jump: float = 0.12


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """A face as it is shown.

    Attributes:
        number: from 1; stays with the face, and is free again once the face is forgotten.
        box: smoothed, in pixels of the frame.
        label: the label that holds; during a change not always the most probable one.
        probabilities: label to smoothed probability; sums to 1.
        uncertain: the confidence is below what the tracker was told to ask for.
        found_by: which detector saw it when it was new; None where that is unknown.
        sharpness, roll: of this frame; see :class:`~recognition.vision.types.Face`.
        side: of the face itself, turned or not, in pixels of this frame.
    """

    number: int
    box: BoundingBox
    label: str
    probabilities: dict[str, float]
    uncertain: bool = False
    found_by: FoundBy | None = None
    sharpness: float = 0.0
    roll: float = 0.0
    side: float = 0.0

    @property
    def confidence(self) -> float:
        """Probability of :attr:`label`, from 0 to 1."""
        return self.probabilities[self.label]


class _Track:
    """What is known of one face; `edges` are its smoothed left, top, width and height."""

    def __init__(self, number: int, face: Face, now: float) -> None:
        self.number = number
        self.labelled_at = now
        self.box = face.box
        self.last = face
        self.edges = _edges(face.box)
        self.probabilities = dict(face.probabilities)
        self.label = face.label
        self.found_by = face.found_by
        self.seen_at = now

    def see(self, face: Face, now: float, settings: TrackingSettings) -> None:
        elapsed = max(0.0, now - self.seen_at)
        self.seen_at = now
        self.box = face.box
        self.last = face
        self.found_by = face.found_by or self.found_by
        self._move(_edges(face.box), elapsed, settings)
        if face.probabilities:
            self._label(face.probabilities, now, settings)

    def _label(
        self, probabilities: Mapping[str, float], now: float, settings: TrackingSettings
    ) -> None:
        weight = _weight(max(0.0, now - self.labelled_at), settings.probability_seconds)
        self.labelled_at = now
        if probabilities.keys() != self.probabilities.keys():
            # Another model, of other labels: a mean over both would mean nothing.
            self.probabilities = dict(probabilities)
            self.label = self.last.label
            return
        for label, probability in probabilities.items():
            self.probabilities[label] += weight * (probability - self.probabilities[label])
        leader = max(self.probabilities, key=self.probabilities.__getitem__)
        lead = self.probabilities[leader] - self.probabilities[self.label]
        if lead > settings.label_lead:
            self.label = leader

    def _move(self, edges: tuple[float, ...], elapsed: float, settings: TrackingSettings) -> None:
        # Still faces jitter and moving ones must not lag: the further the box went, the less it
        # is smoothed (the idea of the 1 euro filter; Casiez, Roussel and Vogel 2012).
        side = max(1.0, self.edges[2])
        moved = max(abs(new - old) for new, old in zip(edges, self.edges, strict=True)) / side
        weight = max(_weight(elapsed, settings.box_seconds), min(1.0, moved / settings.box_jump))
        self.edges = tuple(
            old + weight * (new - old) for new, old in zip(edges, self.edges, strict=True)
        )

    def as_saved(self) -> dict[str, Any]:
        box = self.box
        return {
            "number": self.number,
            "box": [box.x, box.y, box.width, box.height],
            "roll": float(self.last.roll),
            "sharpness": float(self.last.sharpness),
            "edges": [float(edge) for edge in self.edges],
            # Not an object: databases may change the order of its names.
            "probabilities": [[label, float(p)] for label, p in self.probabilities.items()],
            "label": self.label,
            "found_by": self.found_by,
            "seen_at": self.seen_at,
            "labelled_at": self.labelled_at,
        }

    @classmethod
    def of_saved(cls, saved: Mapping[str, Any]) -> _Track:
        probabilities = {label: float(p) for label, p in saved["probabilities"]}
        found_by = None if saved["found_by"] is None else FoundBy(saved["found_by"])
        face = Face(
            BoundingBox(*saved["box"]), probabilities, roll=saved["roll"], found_by=found_by,
            sharpness=saved["sharpness"],
        )  # fmt: skip
        track = cls(saved["number"], face, saved["seen_at"])
        track.labelled_at, track.label = saved["labelled_at"], saved["label"]
        track.edges = tuple(saved["edges"])
        return track

    def shown(self, uncertain_below: float) -> TrackedFace:
        x, y, width, height = (round(edge) for edge in self.edges)
        box = BoundingBox(x, y, max(1, width), max(1, height))
        uncertain = self.probabilities[self.label] < uncertain_below
        probabilities = dict(self.probabilities)
        side = max(self.box.width, self.box.height) / enclosing_ratio(self.last.roll)
        return TrackedFace(
            self.number, box, self.label, probabilities, uncertain, self.found_by,
            self.last.sharpness, self.last.roll, side,
        )  # fmt: skip


class FaceTracker:
    """The faces of one stream of frames. Not thread-safe."""

    def __init__(self, settings: TrackingSettings | None = None) -> None:
        self.settings = settings or TrackingSettings()
        self._tracks: list[_Track] = []
        self._updated_at = float("-inf")

    def as_saved(self) -> dict[str, Any]:
        """All that is known, as JSON can hold it: what goes on with it goes on the same."""
        updated_at = None if math.isinf(self._updated_at) else self._updated_at
        return {"updated_at": updated_at, "tracks": [track.as_saved() for track in self._tracks]}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Know again what :meth:`as_saved` told."""
        updated_at = saved["updated_at"]
        self._updated_at = float("-inf") if updated_at is None else updated_at
        self._tracks = [_Track.of_saved(track) for track in saved["tracks"]]

    @property
    def last_seen(self) -> list[BoundingBox]:
        """Where the known faces were last found, unsmoothed."""
        return [track.box for track in self._tracks]

    @property
    def sees_all(self) -> bool:
        """Whether every known face was in the last frame."""
        return all(track.seen_at == self._updated_at for track in self._tracks)

    def to_label(
        self, boxes: Sequence[BoundingBox], now: float, *, at_once: int | None = None
    ) -> list[bool]:
        """For each face of the next frame, whether :meth:`update` needs its probabilities.

        A label follows a mean of :attr:`TrackingSettings.probability_seconds`, so a face that had
        its turn a moment ago can wait; a new one cannot.

        Args:
            boxes: of the faces, in any order.
            now: when the frame was taken, in seconds of any steady clock.
            at_once: known faces that have their turn, whose label is the oldest; None for all.
        """
        wanted = [True] * len(boxes)
        pairs = self._pairs(boxes, now)
        turns = sorted(pairs, key=lambda pair: pair[0].labelled_at)[:at_once]
        for track, index in pairs:
            waits = 0 <= now - track.labelled_at < self.settings.label_seconds
            wanted[index] = not waits and (track, index) in turns
        return wanted

    def update(
        self, faces: Sequence[Face], now: float, *, uncertain_below: float = 0.0
    ) -> tuple[TrackedFace, ...]:
        """Take in one frame.

        Args:
            faces: what was found in it, in any order; those that :meth:`to_label` left out
                without probabilities.
            now: when it was taken, in seconds of any steady clock.
            uncertain_below: smoothed confidence under which a label is uncertain.

        Returns:
            The faces of this frame, by number. One that is known but was not found in this frame
            is left out; its number waits for it.
        """
        self._updated_at = now
        seen: list[_Track] = []
        pairs = self._pairs([face.box for face in faces], now)
        for track, index in pairs:
            track.see(faces[index], now, self.settings)
            seen.append(track)
        self._tracks = [track for track in self._tracks if self._is_known(track, now)]
        known = {index for _track, index in pairs}
        new = [face for index, face in enumerate(faces) if index not in known]
        for face in sorted(new, key=lambda face: (face.box.x, face.box.y)):
            track = _Track(self._free_number(), face, now)
            self._tracks.append(track)
            seen.append(track)
        return tuple(
            track.shown(uncertain_below) for track in sorted(seen, key=lambda track: track.number)
        )

    def _is_known(self, track: _Track, now: float) -> bool:
        return now - track.seen_at <= self.settings.forget_after

    def _pairs(self, boxes: Sequence[BoundingBox], now: float) -> list[tuple[_Track, int]]:
        """Match greedily, the closest first; each track and each box at most once."""
        candidates = sorted(
            (
                (closeness, t, b)
                for t, track in enumerate(self._tracks)
                if self._is_known(track, now)
                for b, box in enumerate(boxes)
                if (closeness := self._closeness(track, box, now)) is not None
            ),
            reverse=True,
        )
        pairs: list[tuple[_Track, int]] = []
        used_tracks: set[int] = set()
        used_boxes: set[int] = set()
        for _closeness, t, b in candidates:
            if t not in used_tracks and b not in used_boxes:
                used_tracks.add(t)
                used_boxes.add(b)
                pairs.append((self._tracks[t], b))
        return pairs

    def _closeness(self, track: _Track, box: BoundingBox, now: float) -> float | None:
        """How well a face continues a track: overlap first, else distance; None if not at all."""
        shared = overlap(track.box, box)
        if shared >= self.settings.minimum_overlap:
            return shared
        side = float(max(track.box.width, track.box.height, 1))
        ratio = max(box.width, box.height, 1) / side
        distance = center_distance(track.box, box) / side
        at_once, a_second = self.settings.reach
        near = distance <= at_once + a_second * max(0.0, now - track.seen_at)
        similar = 1.0 / self.settings.size_ratio <= ratio <= self.settings.size_ratio
        return -distance if near and similar else None

    def _free_number(self) -> int:
        taken = {track.number for track in self._tracks}
        return next(number for number in range(1, len(taken) + 2) if number not in taken)


def _edges(box: BoundingBox) -> tuple[float, ...]:
    return (float(box.x), float(box.y), float(box.width), float(box.height))


def _weight(elapsed: float, seconds: float) -> float:
    """Share of the new value in an exponential mean, for any distance in time."""
    return 1.0 - math.exp(-elapsed / seconds)
