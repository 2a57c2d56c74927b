"""From the frames of a camera to faces that are followed: fast, and steady over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.vision.detection import DetectionSettings, FaceDetector
from recognition.vision.errors import ImageTooCostly, gettext_noop
from recognition.vision.images import check, decode_gray
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.tracking import FaceTracker, TrackedFace, TrackingSettings
from recognition.vision.types import BoundingBox, Face, overlap

FRAME_FORMATS = ("JPEG", "WEBP")
#: A camera's full HD, with room; a frame is decoded no larger than the working side. In the 512 kB
#: that a frame may have, the worst JPEG of that size takes 11 ms and the worst WebP 30 ms.
MAXIMUM_FRAME_PIXELS = 4_000_000
MAXIMUM_WEBP_FRAME_PIXELS = 1_000_000
WORKING_SIDE = 640

#: A whole frame is searched at half of the usual 640 pixels, for faces of at least a twelfth of
#: its width: 18 ms instead of 137 ms at full size (and the false faces of the full size are gone).
FULL_SCAN = DetectionSettings(longest_side=320, scale_factor=1.2, minimum_face=28)
#: Seconds between two full scans, which are what costs most: how long a new face may wait to be
#: noticed while every known one is found where it was; while there is none; and while one has
#: just been lost, which is when people look whether it is found again.
SCAN_SECONDS = 1.0
EMPTY_SECONDS = 0.4
LOST_SECONDS = 0.2
#: Faces followed at a time, the largest ones: a frame full of faces must not hold up everybody.
MAXIMUM_FACES = 12
#: Two boxes of one frame that overlap by more than this are one face.
SAME_FACE = 0.3


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
        self.tracker = FaceTracker(self._tracking)
        self.scanned_at = float("-inf")


class LiveRecognizer:
    """Labels frames of any number of streams, one frame at a time. Not thread-safe."""

    def __init__(self, recognizer: EmotionRecognizer) -> None:
        """Share the classifier of `recognizer`, which must be this thread's own."""
        self._recognizer = recognizer
        self._detector = FaceDetector(FULL_SCAN)

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
        image_gray, (width, height) = decode_gray(
            data,
            longest_side=WORKING_SIDE,
            formats=FRAME_FORMATS,
            maximum_pixels=maximum_pixels,
        )
        if state.size != (width, height):
            # Another camera or a turned phone: old boxes mean nothing in the new frame.
            state.begin((width, height))
        scale = width / image_gray.shape[1]
        boxes = self._find(image_gray, state, now, scale)
        # One view, without the mirror image that uploads may average in: it halves the time
        # (4 ms instead of 8 ms a face on one core), and the mean over a face's last frames does
        # the same averaging.
        probabilities = self._recognizer.classify(image_gray, boxes, mirror=False)
        faces = [
            Face(box.scaled(scale), face_probabilities)
            for box, face_probabilities in zip(boxes, probabilities, strict=True)
        ]
        followed = state.tracker.update(
            faces, now, uncertain_below=self._recognizer.manifest.uncertain_below
        )
        return LiveFrame(width, height, followed)

    def _find(
        self, image_gray: NDArray[np.uint8], state: LiveState, now: float, scale: float
    ) -> list[BoundingBox]:
        """Boxes in pixels of `image_gray`: round the last ones, and everywhere now and then."""
        known = state.tracker.last_seen
        found: list[BoundingBox] = []
        for box, seen_at in known:
            near = self._detector.detect_near(image_gray, box.scaled(1 / scale), now - seen_at)
            if near is not None and _is_new(near, found):
                found.append(near)
        if now - state.scanned_at >= _scan_pause(len(known), len(found)):
            state.scanned_at = now
            found += [box for box in self._detector.detect(image_gray) if _is_new(box, found)]
        return sorted(found, key=lambda box: box.width, reverse=True)[:MAXIMUM_FACES]


def _check_frame(data: bytes) -> int:
    """Refuse what takes long to decode: all live pages wait for it. Returns the pixels it may have.

    Raises:
        ImageError: it is no frame, or one in several passes or several pictures.
    """
    header = check(data, FRAME_FORMATS, MAXIMUM_FRAME_PIXELS)
    if not header.is_simple:
        raise ImageTooCostly(
            gettext_noop("Frames are baseline JPEG or WebP, neither progressive nor animated.")
        )
    return MAXIMUM_FRAME_PIXELS if header.format == "JPEG" else MAXIMUM_WEBP_FRAME_PIXELS


def _scan_pause(n_known: int, n_found: int) -> float:
    """Seconds that must lie between the last full scan and the next."""
    if n_found < n_known:
        return LOST_SECONDS
    return SCAN_SECONDS if n_found else EMPTY_SECONDS


def _is_new(box: BoundingBox, found: list[BoundingBox]) -> bool:
    return all(overlap(box, other) < SAME_FACE for other in found)
