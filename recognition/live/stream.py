"""One socket's frames: at most one being looked at, at most one waiting, the newest."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from operations import metrics
from recognition.live.pool import live_recognizer
from recognition.vision.errors import ImageError
from recognition.vision.live import LiveFrame, LiveState


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out of one frame.

    Attributes:
        number: of the frame on its socket, from 1.
        received_at: in seconds of ``time.monotonic``.
        taken_at: by the same clock; when it was received, unless its sender says better.
        seen: None where the bytes were not a frame; then `error` says why.
    """

    number: int
    received_at: float
    taken_at: float
    seen: LiveFrame | None
    error: ImageError | None = None


class FrameStream:
    """Hands frames from the event loop to a thread of the pool, dropping all but the newest."""

    def __init__(self) -> None:
        self._state = LiveState()
        self._lock = threading.Lock()
        self._waiting: tuple[int, float, float, bytes] | None = None
        self.received = 0
        self.dropped = 0

    @property
    def is_waiting(self) -> bool:
        return self._waiting is not None

    def offer(self, data: bytes, taken_at: float | None = None) -> None:
        """Let a frame wait, in place of the one that waited before.

        Args:
            data: JPEG or WebP.
            taken_at: when, in seconds of ``time.monotonic`` and not before the frame before it;
                None for now.
        """
        now = time.monotonic()
        with self._lock:
            self.received += 1
            if self._waiting is not None:
                self.dropped += 1
                metrics.LIVE_DROPPED.add()
            self._waiting = (self.received, now, now if taken_at is None else taken_at, data)

    def skip(self) -> int:
        """Count a frame that is not worth waiting; returns its number."""
        with self._lock:
            self.received += 1
            return self.received

    def clear(self) -> None:
        """Forget the waiting frame: nobody is there for its answer."""
        with self._lock:
            self._waiting = None

    def process_newest(self) -> Answer | None:
        """Look at the waiting frame, in a thread of the pool; None where there is none.

        Raises:
            ModelError: the model is missing.
        """
        # Taken only now and not when it was queued: what came meanwhile is newer.
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is None:
            return None
        number, received_at, taken_at, data = waiting
        try:
            with metrics.LIVE_PROCESSING.time():
                seen = live_recognizer().process(data, self._state, taken_at)
        except ImageError as error:
            return Answer(number, received_at, taken_at, None, error)
        return Answer(number, received_at, taken_at, seen)


def labels_message(answer: Answer, seen: LiveFrame, dropped: int) -> dict[str, Any]:
    """An answer as it is sent; see docs/LIVE_PROTOCOL.md."""
    return {
        "type": "labels",
        "frame": answer.number,
        "dropped": dropped,
        "width": seen.width,
        "height": seen.height,
        "milliseconds": round((time.monotonic() - answer.received_at) * 1000, 1),
        "faces": [
            {
                "number": face.number,
                "box": face.box.as_dict(),
                "label": face.label,
                "confidence": round(face.confidence, 4),
                "uncertain": face.uncertain,
                "found_by": face.found_by,
                "probabilities": {
                    label: round(probability, 4)
                    for label, probability in face.probabilities.items()
                },
            }
            for face in seen.faces
        ],
    }
