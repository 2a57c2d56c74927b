"""When a series has nothing to say, and why."""

from __future__ import annotations

from recognition.series.columns import Gap, GapReason

#: A gap is told where no frame was looked at for longer, in milliseconds.
LONGEST_SILENCE_MS = 1000


class GapFinder:
    """Looks at frame after frame of one series."""

    def __init__(self, *, told_ms: int = 0, empty_since: int | None = None) -> None:
        """Begin.

        Args:
            told_ms: up to when the series already says what was seen, or why nothing was.
            empty_since: since when no face has been seen; None while one is.
        """
        self.told_ms = told_ms
        self.empty_since = empty_since

    def see(self, time_ms: int, has_faces: bool, *, silence: GapReason) -> list[Gap]:
        """Take in a frame.

        Args:
            time_ms: when it was, later than the one before.
            has_faces: whether it showed any.
            silence: why there were none before it, if it comes late.

        Returns:
            The gaps that end with it, by their start.
        """
        gaps = []
        if time_ms - self.told_ms > LONGEST_SILENCE_MS:
            gaps = [*self._end_empty(self.told_ms), Gap(self.told_ms, time_ms, silence)]
        if has_faces:
            gaps += self._end_empty(time_ms)
        elif self.empty_since is None:
            self.empty_since = time_ms
        self.told_ms = max(self.told_ms, time_ms)
        return gaps

    def end(self) -> list[Gap]:
        """Nothing more comes; the gap that is open then."""
        return self._end_empty(self.told_ms)

    def _end_empty(self, time_ms: int) -> list[Gap]:
        if self.empty_since is None:
            return []
        gap = Gap(self.empty_since, time_ms, GapReason.NO_FACE)
        self.empty_since = None
        return [gap]
