"""Where BlazeFace looks: at the whole image, at its parts, past its border, and turned.

The network sees 192×192 pixels and finds faces between about a twelfth and two thirds of their
side. Whatever is smaller needs a look at a part of the image, whatever fills the image a border.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from recognition.vision.blazeface import INPUT_SIDE, BlazeFace, Proposal
from recognition.vision.preprocessing import crop_face, enclosing_box
from recognition.vision.types import BoundingBox

#: Score from which a spot is looked at more closely.
PROPOSED = 0.3
#: Black border round an image whose face fills it, as a share of its longer side: of 987 tight
#: portraits 169 are found without a border, 900 with 0.4, 942 with 0.6 and 941 with 1.0.
BORDER = 0.6


@dataclass(frozen=True, slots=True)
class Grid:
    """Overlapping parts of an image, each looked at alone.

    Attributes:
        parts: along each side.
        share: side of a part, as a share of the image's. Parts overlap by more than the largest
            face that only they can find, so a face that the border of one cuts is whole in another.
        smallest_face: looked at only while the smallest face found so far takes less than this
            share of the longer side: where all are larger, seldom anybody stands further away.
    """

    parts: int
    share: float
    smallest_face: float


#: The network needs 16 pixels of a face. That is 8 % of an image's longer side in one look at the
#: whole, 5 % in 4 looks at its parts, 2.7 % in 16, and 1.8 % in 36; 24 pixels are needed to read
#: an expression. In 90 composed groups by which nothing was chosen (846 faces of 1 to 10 %), 75 %
#: are found with a precision of 99.4 %. Without the last grid, and with looking for nothing
#: smaller where one face took a sixteenth, it was 46 % with 99.0 %; the cascade alone finds 66 %.
COARSE = Grid(parts=2, share=0.6, smallest_face=1 / 5)
FINE = Grid(parts=4, share=0.32, smallest_face=1 / 12)
FINEST = Grid(parts=6, share=0.22, smallest_face=1 / 20)

#: From this share of an image's longer side a face is placed by a quick look as by a whole one,
#: within 1 % of its side, and framed within 3 %; below 0.18 its frame comes out 10 % too small.
_QUICK_SHARE = 0.22
#: In a closer look the face takes this share of the network's input.
_CLOSE_SHARE = 0.3
#: A closer look may end worse than the first, which tells something, too.
_ANYTHING = 0.05


def whole(network: BlazeFace, image_gray: NDArray[np.uint8]) -> list[Proposal]:
    """One look at everything."""
    return network.find(image_gray, minimum_score=PROPOSED)


def bordered(network: BlazeFace, image_gray: NDArray[np.uint8]) -> list[Proposal]:
    """One look from further away, for a face that fills the image."""
    return network.find(image_gray, minimum_score=PROPOSED, border=BORDER)


def are_large(image_gray: NDArray[np.uint8], known: Sequence[BoundingBox]) -> bool:
    """Whether known faces are large enough for a quick look.

    Args:
        image_gray: uint8 ``(height, width)``.
        known: in pixels of `image_gray`.
    """
    smallest = min((max(box.width, box.height) for box in known), default=0)
    return smallest >= _QUICK_SHARE * max(image_gray.shape)


def promises_more(grid: Grid, image_gray: NDArray[np.uint8], smallest_face: float) -> bool:
    """Whether looks at the parts of an image may find what earlier ones could not.

    Args:
        grid: the parts.
        image_gray: uint8 ``(height, width)``.
        smallest_face: side of the smallest face found so far, in pixels; 0 where there is none.
    """
    longest = max(image_gray.shape)
    return longest >= grid.parts * INPUT_SIDE and smallest_face < grid.smallest_face * longest


def parts(network: BlazeFace, image_gray: NDArray[np.uint8], grid: Grid) -> list[Proposal]:
    """Looks at overlapping parts; what their inner borders cut is left out."""
    height, width = image_gray.shape
    part_height, part_width = round(height * grid.share), round(width * grid.share)
    proposals = []
    for row, column in product(range(grid.parts), repeat=2):
        top = round((height - part_height) * row / (grid.parts - 1))
        left = round((width - part_width) * column / (grid.parts - 1))
        part = image_gray[top : top + part_height, left : left + part_width]
        for proposal in network.find(part, minimum_score=PROPOSED):
            moved = _moved(proposal, left, top)
            if not _is_cut(moved, (left, left + part_width), width, 0) and not _is_cut(
                moved, (top, top + part_height), height, 1
            ):
                proposals.append(moved)
    return sorted(proposals, key=lambda proposal: -proposal.score)


def turned(
    network: BlazeFace, image_gray: NDArray[np.uint8], *, border: float = 0.0
) -> list[Proposal]:
    """Three looks at the image turned by quarters; proposals of the most promising one.

    The network itself finds faces that are rolled by up to about 45 degrees.
    """
    looks = [
        network.find(image_gray, minimum_score=PROPOSED, border=border, quarter_turns=quarter_turns)
        for quarter_turns in (1, 3, 2)
    ]
    return max(looks, key=lambda proposals: proposals[0].score if proposals else 0.0)


def closely(
    network: BlazeFace, image_gray: NDArray[np.uint8], proposal: Proposal, roll: float
) -> Proposal | None:
    """Look again at one spot, turned upright and at the size at which the network sees best.

    This tells faces from everything else far better than the first look: of 673 spots proposed
    in 1,900 cuttings of pictures without faces 5 score above 0.5 (four of them a clock), of 330
    tight portraits 97 %.

    Args:
        network: loaded.
        image_gray: uint8 ``(height, width)``.
        proposal: the spot, in pixels of `image_gray`.
        roll: by how much its face is taken to be turned clockwise, in degrees.

    Returns:
        What is seen there, about as large as proposed; None where nothing is.
    """
    reach = proposal.side / _CLOSE_SHARE
    box = enclosing_box(proposal.center, reach, roll)
    patch = crop_face(image_gray, box, INPUT_SIDE, roll=roll, black_outside=True)
    middle, expected = INPUT_SIDE / 2.0, INPUT_SIDE * _CLOSE_SHARE
    seen = [
        again
        for again in network.find(patch, minimum_score=_ANYTHING)
        if max(abs(value - middle) for value in again.center) < 0.35 * expected
        and 0.6 < again.side / expected < 1.6
    ]
    if not seen:
        return None
    return _turned_back(seen[0], proposal.center, reach / INPUT_SIDE, roll)


def _turned_back(
    seen: Proposal, center: tuple[float, float], scale: float, roll: float
) -> Proposal:
    """A proposal of an upright patch in pixels of the image that it was cut from."""
    angle = math.radians(roll)
    turn = scale * np.array(
        [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
    )
    middle = INPUT_SIDE / 2.0
    x, y = (np.array(seen.center) - middle) @ turn + center
    points = (seen.points - middle) @ turn + center
    return Proposal(seen.score, (float(x), float(y)), seen.side * scale, points)


def _is_cut(proposal: Proposal, part: tuple[int, int], length: int, axis: int) -> bool:
    """Whether a face reaches over a border of a part that lies inside the image."""
    begin, end = (
        proposal.center[axis] - proposal.side / 2,
        proposal.center[axis] + proposal.side / 2,
    )
    return (part[0] > 0 and begin < part[0]) or (part[1] < length and end > part[1])


def _moved(proposal: Proposal, left: int, top: int) -> Proposal:
    x, y = proposal.center
    return replace(
        proposal, center=(x + left, y + top), points=proposal.points + np.array([left, top])
    )
