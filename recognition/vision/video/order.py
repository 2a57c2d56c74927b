"""What is wanted of a video, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass

#: 4K as cinemas and phones have it, upright or not.
MAXIMUM_PIXELS = 4096 * 2304
MINIMUM_SIDE = 24
#: Two hours.
MAXIMUM_MS = 2 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Order:
    """What to read of a video, within which limits.

    Attributes:
        frames_per_second: samples of each second, from 1 to 30.
        longest_side: of the frames as they are handed out, in pixels; larger ones are scaled down.
        after_ms: where to go on: only samples after the one at this time. None from the start.
        maximum_ms: length that a video may have, in milliseconds.
        maximum_pixels: of a frame as it is stored.
        maximum_frames: that are decoded, sampled or not.
    """

    frames_per_second: int = 10
    longest_side: int = 1280
    after_ms: int | None = None
    maximum_ms: int = MAXIMUM_MS
    maximum_pixels: int = MAXIMUM_PIXELS
    maximum_frames: int = 2_000_000

    def slot(self, time_ms: int) -> int:
        """The place of a moment among the samples, with 5 ms for times that were rounded."""
        return (time_ms + 5) * self.frames_per_second // 1000


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video says of itself; nothing in it has been proved.

    Attributes:
        container: FFmpeg's name of its demuxer.
        codec: FFmpeg's name of its decoder.
        duration_ms: None where it does not say.
    """

    container: str
    codec: str
    duration_ms: int | None
