"""One socket's frames: at most one being looked at, and so many waiting, the newest."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from operations import metrics
from recognition import faces
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
    """Hands frames from the event loop to a thread of the pool, dropping all but the newest.

    Args:
        n_waiting: how many may wait: one where the moment counts, more where all that was sent
            is to be kept.
    """

    def __init__(self, n_waiting: int = 1) -> None:
        self._state = LiveState()
        self._lock = threading.Lock()
        self._n_waiting = n_waiting
        self._waiting: deque[tuple[int, float, float, bytes]] = deque()
        self.received = 0
        self.dropped = 0

    @property
    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def offer(self, data: bytes, taken_at: float | None = None) -> None:
        """Let a frame wait; where too many do, the one that came first is dropped.

        Args:
            data: JPEG or WebP.
            taken_at: when, in seconds of ``time.monotonic`` and not before the frame before it;
                None for now.
        """
        now = time.monotonic()
        with self._lock:
            self.received += 1
            if len(self._waiting) >= self._n_waiting:
                self._waiting.popleft()
                self.dropped += 1
                metrics.LIVE_DROPPED.add()
            taken_at = now if taken_at is None else taken_at
            self._waiting.append((self.received, now, taken_at, data))

    def skip(self) -> int:
        """Count a frame that is not worth waiting; returns its number."""
        with self._lock:
            self.received += 1
            return self.received

    def clear(self) -> None:
        """Forget the waiting frames: nobody is there for their answers."""
        with self._lock:
            self._waiting.clear()

    def process_next(self) -> Answer | None:
        """Look at the frame that waits longest, in a thread of the pool; None where there is none.

        Raises:
            ModelError: the model is missing.
        """
        # Taken only now and not when it was queued: what came meanwhile is newer.
        with self._lock:
            if not self._waiting:
                return None
            number, received_at, taken_at, data = self._waiting.popleft()
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
        "faces": [faces.seen(face, faces.LIVE_FIELDS) for face in seen.faces],
    }
