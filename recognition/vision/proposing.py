"""BlazeFace proposes faces, the Haar cascade confirms and frames them.

Each knows something that the other does not. The network finds small faces, turned ones and those
that fill a photo; the cascade seldom agrees with its mistakes, and frames a face as the
classifier was trained to see it. What only one of them sees has to prove itself: to the network in
a closer look, to the cascade before the gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from recognition.vision import looks
from recognition.vision.blazeface import (
    LEFT_EYE,
    MOUTH,
    QUICK_SIDE,
    RIGHT_EYE,
    BlazeFace,
    Proposal,
)
from recognition.vision.detection import FoundFace, is_new
from recognition.vision.gate import FaceGate, why_unusable
from recognition.vision.haar import HaarCascade, HaarSettings
from recognition.vision.preprocessing import enclosing_box
from recognition.vision.types import (
    MAXIMUM_FACES,
    BoundingBox,
    FoundBy,
    Rejection,
    enclosing_ratio,
)

#: The classifier has learned to read faces that are rolled by up to this many degrees as they
#: are; those that are rolled further are turned upright first.
UPRIGHT = 20.0
#: Score of the first look that needs no closer one, if the cascade agrees.
SURE = 0.8
#: Score that a closer look must reach: where the cascade agrees, and where it does not.
CONFIRMED, CONFIRMED_ALONE = 0.45, 0.55
#: Faces that are turned further than this many degrees are rare, and clocks look like them: they
#: must score as high as this, or have so much support in the gate (clocks have up to 18).
FAR_TURNED, CONFIRMED_TURNED, SUPPORT_TURNED = 60.0, 0.75, 20
#: Eyes that are off level by less than this many degrees are level; so many looks it may take.
_LEVEL, _MOST_LOOKS = 12.0, 3
#: By how much another quarter turn must score better.
_CLEARLY_BETTER = 0.1
#: A spot that was proposed with less and is then rejected is not worth telling anybody about.
_WORTH_TELLING = 0.55
#: The cascade frames a face about this much below its eyes, as a share of the way to the mouth;
#: its side is the network's (means of 1,663 faces that both find).
_BELOW_EYES = 0.244
#: A face whose box takes this share of the photo's longer side is cut, and the network takes it for
#: smaller than the cascade does (mean of 398 tight portraits: by a factor of 1.1).
_FILLS, _CUT = 0.7, 1.1
#: Spots of one photo that are examined, faces or not, and those of one look: what a first one
#: mistakes for faces must not take all of them.
MAXIMUM_SPOTS, _OF_LOOK = 130, 90
#: Spots that may be new faces and are examined in one frame of a video: each may take as long as
#: the rest of a glance, and everybody's frames wait for it.
_NEW_AT_ONCE = 3
#: Where the network finds nothing at all, the cascade looks once, at a reduced photo: 18 ms.
LAST_RESORT = HaarSettings(longest_side=320, scale_factor=1.15, minimum_face=28)


class ProposingDetector:
    """Faces that BlazeFace proposes. Not thread-safe: use one a thread."""

    def __init__(self, *, num_threads: int = 1, with_haar: bool = True) -> None:
        """Load network and cascades.

        Args:
            num_threads: threads of one look of the network.
            with_haar: false leaves the cascade out, as confirmation and as last resort.

        Raises:
            ModelError: a file is missing.
        """
        self._network = BlazeFace(num_threads=num_threads)
        self._cascade = HaarCascade() if with_haar else None
        self._gate = FaceGate()

    @cached_property
    def _quick_network(self) -> BlazeFace:
        """For frames of a video alone."""
        return BlazeFace(side=QUICK_SIDE)

    def detect(self, image_gray: NDArray[np.uint8]) -> list[FoundFace]:
        """See :meth:`FaceDetector.detect`."""
        network = self._network
        # One is taken from these for each spot that is examined.
        spots = iter(range(MAXIMUM_SPOTS))
        found = self._examined(spots, image_gray, looks.whole(network, image_gray), [])
        if not _accepted(found):
            found += self._examined(spots, image_gray, looks.bordered(network, image_gray), found)
        for grid in (looks.COARSE, looks.FINE, looks.FINEST):
            if looks.promises_more(grid, image_gray, _smallest_side(_accepted(found))):
                proposals = looks.parts(network, image_gray, grid)
                found += self._examined(spots, image_gray, proposals, found)
        if not _accepted(found):
            found = self._turned(spots, image_gray, found)
        if not _accepted(found) and self._cascade is not None:
            found += self._last_resort(image_gray, found)
        return _told(found)

    def glance(
        self,
        image_gray: NDArray[np.uint8],
        known: Sequence[BoundingBox],
        *,
        thorough: bool = True,
        at_most: int = MAXIMUM_FACES,
        turn: int = 0,
    ) -> list[FoundFace]:
        """See :meth:`FaceDetector.glance`."""
        proposals = self._glanced(image_gray, () if thorough else known)
        found: list[FoundFace] = []
        new: list[Proposal] = []
        for proposal in proposals:
            box, roll = _frame(proposal)
            if is_new(box, known):
                new.append(proposal)
            elif is_new(box, [face.box for face in found]):
                found.append(FoundFace(box, None, roll))
        if len(found) >= at_most:
            smallest = sorted(face.box.width for face in found)[-at_most]
            new = [proposal for proposal in new if _frame(proposal)[0].width > smallest]
        for proposal in _in_turn(new, turn):
            box, roll = _frame(proposal)
            if is_new(box, [face.box for face in found]):
                face = self._examine(image_gray, proposal)
                if face is not None and face.rejected is None:
                    # In the network's frame, as in the frames to come: it must not jump.
                    found.append(FoundFace(box, face.found_by, roll))
        return found

    def _glanced(
        self, image_gray: NDArray[np.uint8], known: Sequence[BoundingBox]
    ) -> list[Proposal]:
        """What a quick look sees, if that is all of the known faces; else what a whole one does."""
        if known and looks.are_large(image_gray, known):
            proposals = looks.whole(self._quick_network, image_gray)
            seen = [_frame(proposal)[0] for proposal in proposals]
            if not any(is_new(box, seen) for box in known):
                return proposals
        # What fills a frame is seen as well in a quick look.
        return looks.whole(self._network, image_gray) or looks.bordered(
            self._quick_network, image_gray
        )

    def _examined(
        self,
        spots: Iterator[int],
        image_gray: NDArray[np.uint8],
        proposals: Iterable[Proposal],
        known: Sequence[FoundFace],
    ) -> list[FoundFace]:
        """What becomes of proposals that no known face explains; a rejected spot explains none."""
        boxes = [face.box for face in _accepted(known)]
        found = []
        spots = islice(spots, _OF_LOOK)
        for proposal in proposals:
            if len(boxes) >= MAXIMUM_FACES:
                break
            if is_new(_frame(proposal)[0], boxes) and next(spots, None) is not None:
                face = self._examine(image_gray, proposal)
                if face is not None:
                    found.append(face)
                    boxes = [*boxes, face.box] if face.rejected is None else boxes
        return found

    def _examine(self, image_gray: NDArray[np.uint8], proposal: Proposal) -> FoundFace | None:
        """A face, or a spot rejected with a reason; None where it is not worth telling."""
        box, roll = _frame(proposal)
        framed = self._near(image_gray, box, roll)
        score = proposal.score
        if framed is None or roll or score < SURE:
            closer = self._upright(image_gray, proposal, framed is not None)
            score = closer.score if closer is not None else 0.0
            # What the cascade sees upright may stay so; the rest is turned as far as it is rolled.
            tolerated = UPRIGHT if framed is not None and not roll else _LEVEL
            if closer is not None and (roll or abs(closer.roll) > tolerated):
                box, roll = _frame(closer, _LEVEL)
                framed = self._near(image_gray, box, roll)
        if framed is None and proposal.side >= _FILLS * max(image_gray.shape):
            box = box.grown(_CUT)
        face_box = box if framed is None else framed
        rejected = why_unusable(image_gray, face_box, roll)
        wanted = CONFIRMED_ALONE if framed is None else CONFIRMED
        if rejected is None and not self._is_confirmed(image_gray, face_box, roll, score, wanted):
            rejected = Rejection.NOT_CONFIRMED
        if rejected is not None and max(score, proposal.score) < _WORTH_TELLING:
            return None
        found_by = FoundBy.BLAZEFACE if framed is None else FoundBy.BOTH
        return FoundFace(face_box, found_by, roll, rejected)

    def _near(
        self, image_gray: NDArray[np.uint8], box: BoundingBox, roll: float
    ) -> BoundingBox | None:
        """The cascade's frame of a face; None where it sees none, or is not asked."""
        if self._cascade is None:
            return None
        return self._cascade.near(image_gray, box, roll)

    def _upright(
        self, image_gray: NDArray[np.uint8], proposal: Proposal, framed: bool
    ) -> Proposal | None:
        """What closer looks see of a spot once it is turned upright."""
        closer = self._levelled(image_gray, proposal, proposal.roll)
        if framed or closer is None or not CONFIRMED_ALONE <= closer.score < CONFIRMED_TURNED:
            return closer
        # The network takes some faces that lie on their side for upright ones, but not gladly.
        others = (
            self._levelled(image_gray, closer, closer.roll + turn) for turn in (90.0, -90.0, 180.0)
        )
        best = max(
            (other for other in others if other is not None),
            key=lambda other: other.score,
            default=closer,
        )
        return best if best.score > closer.score + _CLEARLY_BETTER else closer

    def _levelled(
        self, image_gray: NDArray[np.uint8], proposal: Proposal, roll: float
    ) -> Proposal | None:
        """Look until the eyes are level: seen upright, they tell the roll more exactly."""
        closer = None
        for _ in range(_MOST_LOOKS):
            if abs(roll) < _LEVEL:
                roll = 0.0
            closer = looks.closely(self._network, image_gray, proposal, roll)
            if closer is None or _between(closer.roll, roll) < _LEVEL:
                break
            proposal, roll = closer, closer.roll
        return closer

    def _is_confirmed(
        self,
        image_gray: NDArray[np.uint8],
        box: BoundingBox,
        roll: float,
        score: float,
        wanted: float,
    ) -> bool:
        if score < wanted:
            return False
        if abs(roll) <= FAR_TURNED or score >= CONFIRMED_TURNED:
            return True
        return self._gate.support(image_gray, box, roll) >= SUPPORT_TURNED

    def _turned(
        self, spots: Iterator[int], image_gray: NDArray[np.uint8], upright: list[FoundFace]
    ) -> list[FoundFace]:
        """Faces of a photo that lies on its side, in place of what they explain."""
        for border in (0.0, looks.BORDER):
            proposals = looks.turned(self._network, image_gray, border=border)
            found = _accepted(self._examined(spots, image_gray, proposals, []))
            if found:
                boxes = [face.box for face in found]
                return found + [spot for spot in upright if is_new(spot.box, boxes)]
        return upright

    def _last_resort(
        self, image_gray: NDArray[np.uint8], known: Sequence[FoundFace]
    ) -> list[FoundFace]:
        """What the cascade alone sees."""
        assert self._cascade is not None
        boxes = [face.box for face in known]
        return [
            FoundFace(box, FoundBy.HAAR, rejected=self._gate.reject(image_gray, box))
            for box in self._cascade.scan(image_gray, LAST_RESORT)
            if is_new(box, boxes)
        ]


def _in_turn(new: Sequence[Proposal], turn: int) -> Sequence[Proposal]:
    """What one glance looks at; in the glances that follow, the others have their turn."""
    if len(new) <= _NEW_AT_ONCE:
        return new
    first = turn * _NEW_AT_ONCE % len(new)
    return [*new[first:], *new[:first]][:_NEW_AT_ONCE]


def _told(found: Iterable[FoundFace]) -> list[FoundFace]:
    """Faces and then rejected spots, each from left to right and each place once."""
    told: list[FoundFace] = []
    for face in sorted(found, key=lambda face: face.rejected is not None):
        if face.rejected is None or is_new(face.box, [other.box for other in told]):
            told.append(face)
    return sorted(told, key=lambda face: (face.rejected is not None, face.box.x, face.box.y))


def _accepted(found: Iterable[FoundFace]) -> list[FoundFace]:
    return [face for face in found if face.rejected is None]


def _smallest_side(found: Iterable[FoundFace]) -> float:
    """Side of the smallest face before it was turned, in pixels; 0 without any."""
    sides = (max(face.box.width, face.box.height) / enclosing_ratio(face.roll) for face in found)
    return min(sides, default=0.0)


def _frame(proposal: Proposal, upright: float = UPRIGHT) -> tuple[BoundingBox, float]:
    """The cascade's frame of a face from the network's points, and the roll to undo, in degrees."""
    eyes = (proposal.points[LEFT_EYE] + proposal.points[RIGHT_EYE]) / 2.0
    x, y = eyes + _BELOW_EYES * (proposal.points[MOUTH] - eyes)
    roll = float(round(proposal.roll)) if abs(proposal.roll) > upright else 0.0
    return enclosing_box((float(x), float(y)), proposal.side, roll), roll


def _between(first: float, second: float) -> float:
    """The angle between two directions, in degrees from 0 to 180."""
    return abs((first - second + 180.0) % 360.0 - 180.0)
