"""How long the stages of one recognition took."""

from __future__ import annotations

import time


class Stopwatch:
    """Adds up seconds by stage.

    Attributes:
        seconds: stage to the time that went into it so far.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, stage: str) -> None:
        """What has passed since the last lap went into `stage`."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now
