"""From the frames of a camera to faces that are followed: fast, and steady over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.vision.detection import FoundFace
from recognition.vision.errors import ImageTooCostly, gettext_noop
from recognition.vision.gate import sharpness
from recognition.vision.images import check, decode_gray
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.tracking import FaceTracker, TrackedFace, TrackingSettings
from recognition.vision.types import Face

FRAME_FORMATS = ("JPEG", "WEBP")
#: A camera's full HD, with room; a frame is decoded no larger than the working side. In the 512 kB
#: that a frame may have, the worst JPEG of that size takes 11 ms and the worst WebP 30 ms.
MAXIMUM_FRAME_PIXELS = 4_000_000
MAXIMUM_WEBP_FRAME_PIXELS = 1_000_000
WORKING_SIDE = 640

#: Seconds after which a frame is searched for small faces that are new, at the latest. In between
#: every frame is searched, too, for what is large; as soon as a known face is missing, or while
#: none is known or one is too small for that, thoroughly.
SEARCH_SECONDS = 0.25

#: Faces followed at a time, the largest ones: a frame full of faces must not hold up everybody.
MAXIMUM_FACES = 12
#: Known faces of a camera's frame that are labelled again, those first whose label is the oldest.
#: Where a label takes long, twelve would take a quarter of a second of a core.
LABELS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """What was seen in one frame.

    Attributes:
        width: of the frame as it was received, in pixels.
        height: of the frame as it was received, in pixels.
        faces: by number, with boxes in pixels of the frame as it was received.
    """

    width: int
    height: int
    faces: tuple[TrackedFace, ...]


class LiveState:
    """What one stream of frames has seen so far. One a stream; not thread-safe."""

    def __init__(self, tracking: TrackingSettings | None = None) -> None:
        self._tracking = tracking
        self.begin((0, 0))

    def begin(self, size: tuple[int, int]) -> None:
        """Forget everything; `size` is the width and height of the frames to come, in pixels."""
        self.size = size
        self.searched_at = float("-inf")
        self.n_searches = 0
        self.tracker = FaceTracker(self._tracking)

    def as_saved(self) -> dict[str, Any]:
        """What has been seen, as JSON can hold it."""
        searched_at = None if math.isinf(self.searched_at) else self.searched_at
        tracker = self.tracker.as_saved()
        return {
            "size": list(self.size),
            "searched_at": searched_at,
            "n_searches": self.n_searches,
            "tracker": tracker,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on where :meth:`as_saved` was called, as if nothing had been in between."""
        width, height = saved["size"]
        self.begin((width, height))
        searched_at = saved["searched_at"]
        self.searched_at = float("-inf") if searched_at is None else searched_at
        # Videos that an older version has begun do without.
        self.n_searches = saved.get("n_searches", 0)
        self.tracker.restore(saved["tracker"])


class LiveRecognizer:
    """Labels frames of any number of streams, one frame at a time. Not thread-safe."""

    def __init__(self, recognizer: EmotionRecognizer) -> None:
        """Share the models of `recognizer`, which must be this thread's own."""
        self._recognizer = recognizer

    def process(self, data: bytes, state: LiveState, now: float) -> LiveFrame:
        """Find, label and follow the faces of the next frame.

        Args:
            data: the frame as JPEG or WebP.
            state: of the stream that the frame belongs to; brought up to date.
            now: when the frame came, in seconds of any steady clock.

        Raises:
            ImageError: the bytes are not a frame; `state` is as before.
        """
        maximum_pixels = _check_frame(data)
        image_gray, size = decode_gray(
            data,
            longest_side=WORKING_SIDE,
            formats=FRAME_FORMATS,
            maximum_pixels=maximum_pixels,
        )
        return self.look(image_gray, size, state, now, labels_at_once=LABELS_AT_ONCE)

    def look(
        self,
        image_gray: NDArray[np.uint8],
        size: tuple[int, int],
        state: LiveState,
        now: float,
        *,
        labels_at_once: int = MAXIMUM_FACES,
    ) -> LiveFrame:
        """Find, label and follow the faces of the next frame, which is decoded.

        Args:
            image_gray: uint8 ``(height, width)``, at most :data:`WORKING_SIDE` along its sides.
            size: width and height of the frame as it came, in pixels.
            state: of the stream that the frame belongs to; brought up to date.
            now: when the frame came, in seconds of any steady clock.
            labels_at_once: known faces that are labelled again; new ones always are.
        """
        width, height = size
        if state.size != (width, height):
            # Another camera or a turned phone: old boxes mean nothing in the new frame.
            state.begin((width, height))
        scale = width / image_gray.shape[1]
        found = self._find(image_gray, state, now, scale)
        boxes = [face.box.scaled(scale).cut(width, height) for face in found]
        wanted = state.tracker.to_label(boxes, now, at_once=labels_at_once)
        probabilities = self._label(image_gray, found, wanted)
        faces = [
            Face(
                box,
                face_probabilities,
                roll=face.roll,
                found_by=face.found_by,
                sharpness=sharpness(image_gray, face.box, face.roll),
            )
            for box, face, face_probabilities in zip(boxes, found, probabilities, strict=True)
        ]
        followed = state.tracker.update(
            faces, now, uncertain_below=self._recognizer.manifest.uncertain_below
        )
        return LiveFrame(width, height, followed)

    def _find(
        self, image_gray: NDArray[np.uint8], state: LiveState, now: float, scale: float
    ) -> list[FoundFace]:
        """The faces of a frame, in pixels of `image_gray`, the largest first."""
        thorough = not state.tracker.sees_all or not 0 <= now - state.searched_at < SEARCH_SECONDS
        if thorough:
            state.searched_at = now
            state.n_searches += 1
        known = [box.scaled(1 / scale) for box in state.tracker.last_seen]
        found = self._recognizer.detector.glance(
            image_gray, known, thorough=thorough, at_most=MAXIMUM_FACES, turn=state.n_searches
        )
        return sorted(found, key=lambda face: face.box.width, reverse=True)[:MAXIMUM_FACES]

    def _label(
        self, image_gray: NDArray[np.uint8], found: Sequence[FoundFace], wanted: Sequence[bool]
    ) -> list[dict[str, float]]:
        """Probabilities of each face that they are wanted of, nothing for the others.

        One view, without the mirror image that uploads may average in: it halves the time (4 ms
        instead of 8 ms a face on one core), and the mean over a face's last frames does the same
        averaging.
        """
        chosen = list(compress(found, wanted))
        labelled = iter(
            self._recognizer.classify(
                image_gray,
                [face.box for face in chosen],
                rolls=[face.roll for face in chosen],
                mirror=False,
            )
        )
        return [next(labelled) if one else {} for one in wanted]


def _check_frame(data: bytes) -> int:
    """Refuse what takes long to decode: all live pages wait for it. Returns the pixels it may have.

    Raises:
        ImageError: it is no frame, or one in several passes or several pictures.
    """
    header = check(data, FRAME_FORMATS, MAXIMUM_FRAME_PIXELS)
    if not header.is_simple:
        raise ImageTooCostly(
            gettext_noop("Frames must be baseline JPEG or WebP, neither progressive nor animated.")
        )
    return MAXIMUM_FRAME_PIXELS if header.format == "JPEG" else MAXIMUM_WEBP_FRAME_PIXELS
