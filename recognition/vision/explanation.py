"""Which parts of a face carried its label: hide one after the other and look what is left.

Occlusion maps: Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks",
section 4.2. They ask nothing of the network but its answers, so they explain what serves.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

#: Side of the hidden part as a share of the crop's: about a mouth, or both eyes. Where the label
#: hardly loses by any part of that size, as sure ones do, larger parts are tried.
WINDOWS = (1 / 3, 1 / 2)
ENOUGH_DROP = 0.2
#: Distance between two hidden places: 64 of them, each with its mirror image, take about half a
#: second on one core, those of a doubtful face in its other frames as long again.
STRIDE = 1 / 9
#: A label that loses less than this wherever something is hidden rests on no part alone, and its
#: losses are not stretched to full brightness.
LEAST_DROP = 0.1
#: Side of the drawn heat map, in pixels.
SIDE = 256
#: How much of the face the brightest part covers.
_OPACITY = 0.65

ROWS = ("upper", "middle", "lower")
COLUMNS = ("left", "center", "right")

#: Turns crops, uint8 ``(n, size, size)``, and the same faces in other frames, each likewise, into
#: probabilities ``(n, number of labels)``.
Classify = Callable[[NDArray[np.uint8], Sequence[NDArray[np.uint8]]], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Frame:
    """A face in another frame round the same middle.

    Attributes:
        crop_gray: uint8 ``(size, size)``.
        scale: how large things are in it, as a multiple of their size in the first frame.
    """

    crop_gray: NDArray[np.uint8]
    scale: float


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where a label comes from.

    Attributes:
        confidence: probability of the label with nothing hidden, from 0 to 1.
        drop: float32 ``(size, size)``, how much of that probability is lost on average where this
            pixel is among the hidden ones; negative where the label becomes more probable.
        strongest_drop: the most that hiding one place took away, not below 0.
        strongest_part: the ninth of the crop in the middle of which that place was, as
            ``row-column`` (left and right are those of the picture); None where the label rests
            on no part alone.
    """

    confidence: float
    drop: NDArray[np.float32]
    strongest_drop: float
    strongest_part: str | None


def explain(
    classify: Classify, crop_gray: NDArray[np.uint8], label: int, others: Sequence[Frame] = ()
) -> Explanation:
    """Hide a small part of the face at a time and classify what is left.

    Args:
        classify: what serves.
        crop_gray: uint8 ``(size, size)``, as the classifier reads it.
        label: the index of the label to explain.
        others: the frames in which the classifier may look at the face, too.
    """
    frames = [Frame(crop_gray, 1.0), *others]
    found = _explain(classify, frames, label, WINDOWS[0])
    for window in WINDOWS[1:]:
        if found.strongest_drop >= ENOUGH_DROP:
            break
        found = _explain(classify, frames, label, window)
    return found


def _explain(classify: Classify, frames: Sequence[Frame], label: int, window: float) -> Explanation:
    size = frames[0].crop_gray.shape[0]
    places, masks = _masks(size, window)
    first, *others = (_hidden(frame, _masks(size, window, frame.scale)[1]) for frame in frames)
    confidence, *left = (float(row[label]) for row in classify(first, others))
    lost = confidence - np.array(left, np.float32)
    drop = np.tensordot(lost, masks, axes=1) / np.maximum(masks.sum(axis=0), 1e-6)
    strongest = max(0.0, float(lost.max()))
    row, column = places[int(lost.argmax())]
    part = f"{ROWS[row]}-{COLUMNS[column]}" if strongest >= LEAST_DROP else None
    return Explanation(confidence, drop.astype(np.float32), strongest, part)


def _hidden(frame: Frame, masks: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The crop, and after it the crop with each place hidden, uint8 ``(1 + n, size, size)``."""
    crop = frame.crop_gray
    # The mean level, with soft edges: a hard-edged patch is a shape of its own.
    hidden = crop + masks * (float(crop.mean()) - crop.astype(np.float32))
    return np.concatenate([crop[np.newaxis], np.rint(hidden).astype(np.uint8)])


def draw(explanation: Explanation, face_gray: NDArray[np.uint8]) -> bytes:
    """Lay the heat over the face.

    What carried the label is coloured, from dark red to bright yellow; the rest stays grey, also
    where it spoke against the label.

    Args:
        explanation: of this face.
        face_gray: uint8 ``(side, side)``, framed as the explained crop, of any size.

    Returns:
        A PNG of :data:`SIDE` pixels a side. Its text chunks hold what :func:`read_words` gives.
    """
    face = cv2.resize(face_gray, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    heat = cv2.resize(explanation.drop, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    brightest = float(explanation.drop.max()) if explanation.strongest_part else LEAST_DROP
    heat = np.clip(heat / brightest, 0.0, 1.0)
    # The upper part of a map whose brightness rises evenly: its lower end would be black.
    levels = np.rint(90 + 150 * heat).astype(np.uint8)
    colour = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[:, :, ::-1].astype(np.float32)
    opacity = (_OPACITY * heat)[:, :, np.newaxis]
    mixed = face[:, :, np.newaxis] * (1 - opacity) + colour * opacity
    words = PngImagePlugin.PngInfo()
    words.add_text("confidence", f"{explanation.confidence:.4f}")
    words.add_text("drop", f"{explanation.strongest_drop:.4f}")
    words.add_text("part", explanation.strongest_part or "")
    buffer = io.BytesIO()
    image = Image.fromarray(np.rint(np.clip(mixed, 0, 255)).astype(np.uint8))
    image.save(buffer, "PNG", pnginfo=words)
    return buffer.getvalue()


@dataclass(frozen=True)
class Words:
    """What a drawn heat map says for those who do not see it.

    Attributes:
        confidence: see :class:`Explanation`.
        drop: its `strongest_drop`.
        part: its `strongest_part`.
    """

    confidence: float
    drop: float
    part: str | None


def read_words(png: bytes) -> Words:
    """Read what :func:`draw` wrote beside the pixels.

    Raises:
        ValueError: these are not its bytes.
    """
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            text = image.info
            return Words(float(text["confidence"]), float(text["drop"]), text["part"] or None)
    except (KeyError, OSError) as error:
        raise ValueError("not a heat map") from error


def _masks(
    size: int, window: float, scale: float = 1.0
) -> tuple[list[tuple[int, int]], NDArray[np.float32]]:
    """The places to hide: for each, the third down and across, and how much it hides of a pixel.

    The latter is float32 ``(n, size, size)``, from 0 to 1, for a frame in which things are
    `scale` times as large as in the first.
    """
    centers = np.arange(STRIDE, 1.0 - STRIDE / 2, STRIDE)
    thirds = [min(2, int(3 * center)) for center in centers]
    centers, window = 0.5 + scale * (centers - 0.5), scale * window
    distance = np.abs(np.arange(size)[np.newaxis] - (centers * size - 0.5)[:, np.newaxis])
    half, edge = window * size / 2, window * size / 6
    ramps = np.clip((half + edge - distance) / (2 * edge), 0.0, 1.0).astype(np.float32)
    places = [(row, column) for row in thirds for column in thirds]
    return places, np.einsum("ay,bx->abyx", ramps, ramps).reshape(-1, size, size)
