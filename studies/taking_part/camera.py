"""What the camera check measures: whether the picture is good enough to take part."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

from recognition.vision.live import LiveFrame

#: Frames that are looked back at: some seconds.
WINDOW = 30
#: Frames at least, and the least share of them with a face, for the check to be passed.
LEAST_FRAMES, LEAST_SHARE = 10, 0.6


@dataclass(frozen=True, slots=True)
class _Frame:
    taken_at: float
    n_faces: int
    height: int
    of_height: int


def participant_alone(seen: LiveFrame) -> LiveFrame:
    """What is stored of a frame: its largest face. Others in the picture have agreed to nothing.

    By the rule that results had gone by, that of `curves.main_face`: most pixels, as the series has
    them, and of equal ones the lower number.
    """
    largest = min(seen.faces, key=lambda face: (-round(face.side), face.number), default=None)
    return replace(seen, faces=() if largest is None else (largest,))


class CameraCheck:
    """Looks at the last frames of one participant's camera."""

    def __init__(self) -> None:
        self._frames: deque[_Frame] = deque(maxlen=WINDOW)

    def add(self, seen: LiveFrame, taken_at: float) -> None:
        """Take in a frame, taken at a time in seconds of any steady clock."""
        heights = [face.box.height for face in seen.faces]
        self._frames.append(
            _Frame(taken_at, len(heights), max(heights, default=0), max(1, seen.height))
        )

    @property
    def is_passed(self) -> bool:
        return len(self._frames) >= LEAST_FRAMES and self.share >= LEAST_SHARE

    @property
    def share(self) -> float:
        """Of frames with a face, from 0 to 1."""
        return sum(frame.n_faces > 0 for frame in self._frames) / max(1, len(self._frames))

    @property
    def rate(self) -> float:
        """Frames a second."""
        if len(self._frames) < 2:
            return 0.0
        return (len(self._frames) - 1) / max(
            0.001, self._frames[-1].taken_at - self._frames[0].taken_at
        )

    def told(self) -> dict[str, Any]:
        """What the participant learns of the last frame."""
        last = self._frames[-1]
        return {
            "faces": last.n_faces,
            "height": round(last.height / last.of_height, 3),
            "rate": round(self.rate, 1),
        }

    def kept(self, brightness: float | None) -> dict[str, float]:
        """What is stored with the participation."""
        heights = [frame.height for frame in self._frames if frame.n_faces]
        found = {
            "face_share": round(self.share, 3),
            "frames_per_second": round(self.rate, 2),
            "face_height": float(statistics.median(heights)) if heights else 0.0,
        }
        if brightness is not None:
            found["brightness"] = round(min(1.0, max(0.0, brightness)), 3)
        return found
