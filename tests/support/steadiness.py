"""How much following faces calms their labels, and how soon a real change shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image

from recognition.vision.live import LiveRecognizer, LiveState
from recognition.vision.tracking import TrackingSettings
from tests.support import clip

#: A tracker that believes every frame.
UNSMOOTHED = TrackingSettings(probability_seconds=1e-9, label_seconds=0.0, label_lead=0.0)
#: While the face is in the picture.
SECONDS = 6.0
CHANGE_AT = 3.0
#: A mouth so far out of focus (:func:`tests.support.clip.without_smile`) is no smile.
SERIOUS_RADIUS = 12.0


@dataclass(frozen=True)
class Steadiness:
    """Changes of the label on the wavering clip, and seconds until the turning one is followed."""

    changes_unsmoothed: int
    changes: int
    follows_after: float


def steadiness(recognizer: LiveRecognizer, portrait: Image.Image) -> Steadiness:
    """Measure on two clips of one face: one whose label wavers, one where it turns.

    Args:
        recognizer: with any model that calls the portrait something else without its smile.
        portrait: :func:`tests.support.clip.astronaut`.

    Raises:
        ValueError: the model calls it the same.
    """
    times = [index / clip.FRAMES_PER_SECOND for index in range(int(SECONDS * 30))]
    halfway = clip.without_smile(portrait, _tipping_radius(recognizer, portrait))
    wavering = [clip.jpeg_frame(halfway, at, clip.DARK_NOISE) for at in times]
    serious = clip.without_smile(portrait, SERIOUS_RADIUS)
    turning = [clip.jpeg_frame(serious if at >= CHANGE_AT else portrait, at) for at in times]
    followed = _labels(recognizer, wavering, times, LiveState())
    turned = _labels(recognizer, turning, times, LiveState())
    before = dict(turned)[max(at for at, _label in turned if at < CHANGE_AT)]
    changed = [at for at, label in turned if at >= CHANGE_AT and label != before]
    return Steadiness(
        _changes_unsmoothed(recognizer, wavering, times),
        _changes(label for _at, label in followed),
        (changed[0] if changed else SECONDS) - CHANGE_AT,
    )


def _tipping_radius(recognizer: LiveRecognizer, portrait: Image.Image) -> float:
    """How far out of focus the mouth is where the label of a dark frame turns."""

    def label(radius: float) -> str:
        frame = clip.jpeg_frame(clip.without_smile(portrait, radius), 1.0, clip.DARK_NOISE)
        ((_at, said),) = _labels(recognizer, [frame], [0.0], LiveState(UNSMOOTHED))
        return said

    low, high = 0.0, SERIOUS_RADIUS
    smiling = label(low)
    if label(high) == smiling:
        raise ValueError(f"without its smile the portrait is still called {smiling}")
    while high - low > 0.1:
        middle = (low + high) / 2
        low, high = (middle, high) if label(middle) == smiling else (low, middle)
    return (low + high) / 2


def _changes_unsmoothed(recognizer: LiveRecognizer, frames: list[bytes], times: list[float]) -> int:
    labels = _labels(recognizer, frames, times, LiveState(UNSMOOTHED))
    return _changes(label for _at, label in labels)


def _labels(
    recognizer: LiveRecognizer, frames: list[bytes], times: list[float], state: LiveState
) -> list[tuple[float, str]]:
    """Time and label of the first face of each frame that has one."""
    seen = [
        (at, recognizer.process(frame, state, at).faces)
        for at, frame in zip(times, frames, strict=True)
    ]
    return [(at, faces[0].label) for at, faces in seen if faces]


def _changes(labels: Iterable[str]) -> int:
    return sum(first != second for first, second in pairwise(labels))
