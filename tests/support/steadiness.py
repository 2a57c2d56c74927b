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


@dataclass(frozen=True)
class Steadiness:
    """Changes of the label on the wavering clip, and seconds until the turning one is followed."""

    changes_unsmoothed: int
    changes: int
    follows_after: float


def steadiness(recognizer: LiveRecognizer, portrait: Image.Image) -> Steadiness:
    """Measure on two clips of one face: one whose label wavers, one where it turns."""
    times = [index / clip.FRAMES_PER_SECOND for index in range(int(SECONDS * 30))]
    wavering = max(
        ([clip.jpeg_frame(portrait, at, noise) for at in times] for noise in clip.WAVERING_NOISES),
        key=lambda frames: _changes_unsmoothed(recognizer, frames, times),
    )
    turning = [
        clip.jpeg_frame(portrait, at, clip.TURNING_NOISE if at >= CHANGE_AT else clip.NOISE)
        for at in times
    ]
    followed = _labels(recognizer, wavering, times, LiveState())
    turned = _labels(recognizer, turning, times, LiveState())
    before = dict(turned)[max(at for at, _label in turned if at < CHANGE_AT)]
    changed = [at for at, label in turned if at >= CHANGE_AT and label != before]
    return Steadiness(
        _changes_unsmoothed(recognizer, wavering, times),
        _changes(label for _at, label in followed),
        (changed[0] if changed else SECONDS) - CHANGE_AT,
    )


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
