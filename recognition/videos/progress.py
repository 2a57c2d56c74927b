"""What one slice of a video adds to its recording, and how the next one goes on from there."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from recognition.jobs.job import ClaimLost
from recognition.models import Recording, Video
from recognition.series.columns import GapReason
from recognition.series.frames import sample_of
from recognition.series.gaps import GapFinder
from recognition.series.storing import SeriesWriter
from recognition.series.timeline import MAXIMUM_STRETCHES, STRETCH_BYTES, LabelTimeline
from recognition.vision.live import LiveState
from recognition.vision.watching import Watched

#: Samples that one recording of a video holds: two hours of six faces at ten frames a second.
MAXIMUM_SAMPLES = 432_000


class Progress:
    """Everything that a video's recording has, and what is needed to go on.

    All of it is written in one transaction with the position. Whoever is killed in between leaves
    the checkpoint before, and the next one sees the same frames again with the same memory: no
    sample is lost, doubled or different.
    """

    def __init__(self, video: Video, recording: Recording) -> None:
        """Begin, or go on from the video's checkpoint.

        Raises:
            SeriesDamaged: what is stored is not what was written.
        """
        self._video, self._recording = video, recording
        self.state = LiveState()
        self._series = SeriesWriter(recording)
        self._saved_at = time.monotonic()
        self._processor_began, self._processor_before = _processor_seconds(), 0.0
        #: Stretches that the row of the recording has.
        self._n_stored = len(recording.samples)
        self.after_ms: int | None = None
        self._size: dict[str, int] = {}
        saved: dict[str, Any] | None = video.checkpoint
        if saved is None:
            self._timeline, self._gaps = LabelTimeline(), GapFinder()
            return
        self.after_ms = video.position_ms
        self._processor_before = saved.get("processor_seconds", 0.0)
        self.state.restore(saved["live"])
        self._gaps = GapFinder(told_ms=video.position_ms, empty_since=saved["empty_since"])
        self._timeline = LabelTimeline.going_on(recording.samples, saved["open"])
        self._series.go_on()

    @property
    def seconds_since_saved(self) -> float:
        return time.monotonic() - self._saved_at

    @property
    def processor_seconds(self) -> float:
        """That went into the video so far; of reading, where the reader has been closed."""
        return self._processor_before + _processor_seconds() - self._processor_began

    @contextmanager
    def others(self) -> Iterator[None]:
        """What is done meanwhile for others is no work on the video, which may take so much."""
        began = _processor_seconds()
        try:
            yield
        finally:
            self._processor_began += _processor_seconds() - began

    @property
    def is_full(self) -> bool:
        n_stretches = len(self._timeline.stretches)
        return n_stretches >= MAXIMUM_STRETCHES or self._series.n_samples >= MAXIMUM_SAMPLES

    def add(self, watched: Watched) -> None:
        """Take in the next sampled frame."""
        faces, time_ms = watched.seen.faces, watched.time_ms
        self._size = dict(zip(("width", "height"), watched.size, strict=True))
        self._timeline.add(faces, time_ms / 1000)
        for gap in self._gaps.see(time_ms, bool(faces), silence=GapReason.PAUSED):
            self._series.add_gap(gap)
        self._series.add([sample_of(face, time_ms) for face in faces])
        self.after_ms = time_ms

    def end(self) -> None:
        """Nothing more comes."""
        for gap in self._gaps.end():
            self._series.add_gap(gap)

    def save(self, **fields: Any) -> None:
        """Write what is new and where it is now, in one transaction.

        Args:
            fields: of the recording.

        Raises:
            ClaimLost: the video was cancelled or deleted, or another worker has it now.
        """
        if self.after_ms is None:
            self.keep()
            return
        now = time.monotonic()
        checkpoint = {
            "live": self.state.as_saved(),
            "empty_since": self._gaps.empty_since,
            "open": self._timeline.open_stretches(),
            "processor_seconds": self.processor_seconds,
        }
        with transaction.atomic():
            # First of all, for it locks the row. It has come further, so its attempts count anew.
            if not Video.objects.extend(
                self._video,
                position_ms=self.after_ms,
                checkpoint=checkpoint,
                attempts=0,
                work_seconds=F("work_seconds") + (now - self._saved_at),
                **self._size,
            ):
                raise ClaimLost
            ended_at = self._recording.started_at + timedelta(milliseconds=self.after_ms)
            samples = self._timeline.as_stored()
            more = len(samples) - self._n_stored
            if not self._series.save(
                samples=samples,
                ended_at=ended_at,
                stored_bytes=F("stored_bytes") + STRETCH_BYTES * more,
                **fields,
            ):
                raise ClaimLost
        self._video.attempts, self._n_stored = 0, len(samples)
        self._saved_at = now

    def keep(self) -> None:
        """Keep the claim while there is nothing new.

        Raises:
            ClaimLost: as :meth:`save`.
        """
        now = time.monotonic()
        if not Video.objects.extend(
            self._video, work_seconds=F("work_seconds") + (now - self._saved_at)
        ):
            raise ClaimLost
        self._saved_at = now


def _processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
