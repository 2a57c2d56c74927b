"""From the frames of a video to faces that are followed, as the live page follows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from recognition.vision.live import LiveFrame, LiveRecognizer, LiveState
from recognition.vision.video.reader import VideoReader


@dataclass(frozen=True, slots=True)
class Watched:
    """What one sampled frame showed.

    Attributes:
        time_ms: milliseconds since the start of the video.
        size: upright width and height of the video's pictures, in pixels.
    """

    time_ms: int
    seen: LiveFrame
    size: tuple[int, int]


def watch(video: VideoReader, live: LiveRecognizer, state: LiveState) -> Iterator[Watched]:
    """Look at frame after frame.

    Args:
        video: opened with :data:`recognition.vision.live.WORKING_SIDE` as its longest side.
        live: of this thread's own.
        state: of this video; brought up to date.

    Raises:
        VideoError: the video turns out not to be accepted.
        ReadingStalled: the machine has too much else to do.
    """
    for frame in video:
        gray = np.asarray(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        seen = live.look(gray, frame.size, state, frame.time_ms / 1000)
        yield Watched(frame.time_ms, seen, frame.size)
