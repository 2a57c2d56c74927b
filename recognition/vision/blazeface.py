"""Face detection with BlazeFace's full-range network (Bazarevsky et al. 2019).

V. Bazarevsky, Y. Kartynnik, A. Vakunov, K. Raveendran and M. Grundmann: "BlazeFace:
Sub-millisecond Neural Face Detection on Mobile GPUs", arXiv:1907.05047. The network looks at one
square of 192×192 pixels and proposes, for each cell of a 48×48 grid, a box and six key points
relative to the cell's middle (its anchor). Proposals of the same face are blended, weighted by
their scores, in place of non-maximum suppression (section 4 of the paper), which steadies boxes in
videos. The file, its origin and its licence are described in ``models/face_detector``.
"""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from recognition.vision.errors import ModelError

MODEL_PATH = (
    Path(__file__).resolve().parents[2]
    / "models"
    / "face_detector"
    / "face_detection_full_range.tflite"
)
MODEL_SHA256 = "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3"

#: Side of the square that the network looks at, in pixels, and of one cell of its grid.
INPUT_SIDE = 192
_STRIDE = 4
#: The network is made of convolutions alone, so it works on other squares, too, and a quick look
#: at a smaller one takes 44 % of the time. Only the sizes to which it enlarges its own maps are
#: written down in the file, as two int32 each: where, and their side for 192 pixels.
QUICK_SIDE = 128
_ENLARGED = {115744: 12, 43264: 24, 9824: 48}
#: Grey levels as the network takes them, from -1 to 1.
_LEVELS = np.arange(256, dtype=np.float32) * np.float32(2.0 / 255.0) - np.float32(1.0)
#: Two proposals of which more than this is common (intersection over union) are one face.
_SAME_FACE = 0.3
#: Places of the key points in :attr:`Proposal.points`; left and right as the viewer sees them.
LEFT_EYE, RIGHT_EYE, NOSE, MOUTH, LEFT_EAR, RIGHT_EAR = range(6)


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """Where the network takes something for a face.

    Attributes:
        score: from 0 to 1; how sure the network is.
        center: middle of the box, ``(x, y)`` in pixels of the image.
        side: of the box, in pixels; the network's boxes are square.
        points: float64 ``(6, 2)``, in pixels of the image: the eyes, the tip of the nose, the
            middle of the mouth and the openings of the ears.
    """

    score: float
    center: tuple[float, float]
    side: float
    points: NDArray[np.float64]

    @property
    def roll(self) -> float:
        """By how much the face is turned clockwise, in degrees from -180 to 180, by its eyes."""
        across, down = self.points[RIGHT_EYE] - self.points[LEFT_EYE]
        return math.degrees(math.atan2(down, across))


class BlazeFace:
    """The network and what makes proposals of its outputs. Not thread-safe: one a thread."""

    def __init__(self, *, num_threads: int = 1, side: int = INPUT_SIDE) -> None:
        """Load the network.

        Args:
            num_threads: threads of one look.
            side: of the square that it looks at, in pixels; a multiple of 32.

        Raises:
            ModelError: its file is missing or is not the one that belongs here.
        """
        self.side = side
        self._interpreter = Interpreter(model_content=_content_for(side), num_threads=num_threads)
        (input_details,) = self._interpreter.get_input_details()
        self._interpreter.resize_tensor_input(input_details["index"], (1, side, side, 3))
        self._interpreter.allocate_tensors()
        boxes_details, scores_details = self._interpreter.get_output_details()
        self._input_index: int = input_details["index"]
        self._boxes_index: int = boxes_details["index"]
        self._scores_index: int = scores_details["index"]
        self._input = np.empty((1, side, side, 3), np.float32)

    def find(
        self,
        image_gray: NDArray[np.uint8],
        *,
        minimum_score: float,
        border: float = 0.0,
        quarter_turns: int = 0,
    ) -> list[Proposal]:
        """Look for faces once.

        Args:
            image_gray: uint8 ``(height, width)``; it is scaled to the network's input whole, so
                faces of less than 16 pixels there are overlooked.
            minimum_score: from 0 to 1; what scores lower is left out.
            border: black border on every side, as a share of the longer side.
            quarter_turns: how often the image is turned counter-clockwise before the look, which
                turns upright what was turned clockwise.

        Returns:
            Proposals in pixels of `image_gray`, the surest first.
        """
        height, width = image_gray.shape
        scale = self.side / (max(height, width) * (1.0 + 2.0 * border))
        small_width, small_height = max(1, round(width * scale)), max(1, round(height * scale))
        small = _shrunk(image_gray, (small_width, small_height))
        left, top = (self.side - small_width) // 2, (self.side - small_height) // 2
        square = np.zeros((self.side, self.side), np.uint8)
        square[top : top + small_height, left : left + small_width] = small
        found = self._look(np.rot90(square, quarter_turns), minimum_score)
        ratio = np.array([width / small_width, height / small_height])
        proposals = []
        for score, points in found:
            turned_back = _turn_back(points, quarter_turns, self.side)
            placed = (turned_back - (left, top)) * ratio
            side = float(np.abs(turned_back[1] - turned_back[0]).max()) * float(ratio.max())
            center = (placed[0] + placed[1]) / 2.0
            proposals.append(
                Proposal(score, (float(center[0]), float(center[1])), side, placed[2:])
            )
        return proposals

    def _look(
        self, square: NDArray[np.uint8], minimum_score: float
    ) -> list[tuple[float, NDArray[np.float64]]]:
        """Scores and points, with the box's corners as the first two, in pixels of the square."""
        levels = cv2.LUT(square, _LEVELS)
        cv2.merge((levels, levels, levels), self._input[0])
        self._interpreter.set_tensor(self._input_index, self._input)
        self._interpreter.invoke()
        logits = self._interpreter.get_tensor(self._scores_index)[0, :, 0]
        chosen = np.flatnonzero(logits > math.log(minimum_score / (1.0 - minimum_score)))
        if not len(chosen):
            return []
        outputs = self._interpreter.get_tensor(self._boxes_index)[0, chosen]
        return blended(*decoded(logits[chosen], outputs, anchors(self.side)[chosen]))


@cache
def anchors(side: int = INPUT_SIDE) -> NDArray[np.float64]:
    """Middles of the grid's cells, row by row: float64 ``(n, 2)``, in pixels of the input.

    There are 2,304 in a square of 192 pixels.
    """
    middles = (np.arange(side // _STRIDE) + 0.5) * _STRIDE
    x, y = np.meshgrid(middles, middles)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def decoded(
    logits: NDArray[np.float32], outputs: NDArray[np.float32], middles: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read the network's outputs.

    Args:
        logits: ``(n,)``.
        outputs: ``(n, 16)``: the box's middle, its width and height, and six points; all but the
            size are relative to the anchor, in pixels of the input.
        middles: the anchors, ``(n, 2)``.

    Returns:
        ``(scores, points)``: scores from 0 to 1, ``(n,)``, and ``(n, 8, 2)`` with the box's upper
        left and lower right corner before the six points, in pixels of the input.
    """
    points = outputs.reshape(-1, 8, 2).astype(np.float64)
    half = points[:, 1] / 2.0
    center = points[:, 0] + middles
    points[:, 0], points[:, 1] = center - half, center + half
    points[:, 2:] += middles[:, np.newaxis]
    return 1.0 / (1.0 + np.exp(-logits.astype(np.float64))), points


def blended(
    scores: NDArray[np.float64], points: NDArray[np.float64]
) -> list[tuple[float, NDArray[np.float64]]]:
    """One proposal a face: the mean of those that overlap the surest, weighted by their scores.

    Args:
        scores: ``(n,)``.
        points: ``(n, 8, 2)`` as from :func:`decoded`.

    Returns:
        The best score and the mean points of each face, the surest first.
    """
    order = np.argsort(-scores, kind="stable")
    faces = []
    while len(order):
        best = order[0]
        same = _overlap(points[best], points[order]) > _SAME_FACE
        same[0] = True
        group = order[same]
        mean = np.average(points[group], axis=0, weights=scores[group])
        faces.append((float(scores[best]), mean))
        order = order[~same]
    return faces


def _overlap(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of one box with many, each given by its corners."""
    shared_sides = np.minimum(others[:, 1], box[1]) - np.maximum(others[:, 0], box[0])
    shared = np.clip(shared_sides, 0.0, None).prod(axis=1)
    areas = (others[:, 1] - others[:, 0]).prod(axis=1)
    union = areas + float((box[1] - box[0]).prod()) - shared
    result: NDArray[np.float64] = shared / np.maximum(union, 1e-9)
    return result


def _shrunk(image_gray: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image of another width and height, without skipping pixels.

    Halving is what OpenCV does fastest, a twentieth of the time of any other ratio; the last step
    is by two or more, so that it makes no difference to what is seen.
    """
    while image_gray.shape[1] >= 4 * size[0] and image_gray.shape[0] >= 4 * size[1]:
        height, width = image_gray.shape
        even = image_gray[: height // 2 * 2, : width // 2 * 2]
        image_gray = cv2.resize(even, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    grows = size[0] > image_gray.shape[1] or size[1] > image_gray.shape[0]
    interpolation = cv2.INTER_LINEAR if grows else cv2.INTER_AREA
    return cv2.resize(image_gray, size, interpolation=interpolation)


def _turn_back(points: NDArray[np.float64], quarter_turns: int, side: int) -> NDArray[np.float64]:
    """Points of a square that was turned counter-clockwise, as they lay before."""
    for _ in range(quarter_turns % 4):
        points = np.stack([side - points[:, 1], points[:, 0]], axis=1)
    return points


def _content_for(side: int) -> bytes:
    """The network's file for a square of another side; see :data:`_ENLARGED`."""
    content = bytearray(_model_content())
    for place, enlarged in _ENLARGED.items():
        wanted = enlarged * side // INPUT_SIDE
        content[place : place + 8] = struct.pack("<2i", wanted, wanted)
    return bytes(content)


@cache
def _model_content() -> bytes:
    """The network's file, read and checked once a process."""
    try:
        content = MODEL_PATH.read_bytes()
    except OSError:
        raise ModelError(f"The face detector {MODEL_PATH} is missing.") from None
    if hashlib.sha256(content).hexdigest() != MODEL_SHA256:
        raise ModelError(f"The face detector {MODEL_PATH} is not the one that belongs here.")
    return content
