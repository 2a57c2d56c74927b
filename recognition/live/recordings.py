"""Record what a live page sees: begin, go on with, save. Numbers over time, never a picture."""

from __future__ import annotations

import time
from datetime import timedelta
from math import inf
from threading import Lock
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts import audit
from recognition import quotas
from recognition.models import Recording
from recognition.series.columns import GapReason
from recognition.series.frames import sample_of
from recognition.series.gaps import GapFinder
from recognition.series.storing import SeriesWriter
from recognition.series.timeline import (
    MAXIMUM_SECONDS,
    MAXIMUM_STRETCHES,
    ROW_BYTES,
    STRETCH_BYTES,
    LabelTimeline,
)
from recognition.vision.live import LiveFrame

#: A session may be continued for this long after it was last saved, in seconds: long enough for
#: a lost connection, too short to mix two sittings.
CONTINUE_SECONDS = 120
#: One sample a face in each of these, in milliseconds, however many frames come.
SAMPLE_MS = 100
#: All stretches are written each time, and by the thread that has the database for all sockets: of
#: so many each time, of more as many seconds apart for each thousand.
STRETCHES_AT_ONCE, SECONDS_A_THOUSAND = 1000, 1.5
#: Samples that one recording holds: two hours of six faces.
MAXIMUM_SAMPLES = 432_000


class Recorder:
    """Records on one socket: labels as stretches, and the series behind them."""

    def __init__(self, recording: Recording, *, keeps_stretches: bool = True) -> None:
        """Go on where the recording ends.

        Args:
            recording: which; it is read no more.
            keeps_stretches: otherwise the series alone, where nobody looks at stretches.
        """
        self.recording = recording
        self._keeps_stretches = keeps_stretches
        self._earlier = list(recording.samples) if keeps_stretches else []
        self._n_counted = len(self._earlier)
        self._timeline = LabelTimeline()
        self._series = SeriesWriter(recording)
        self._offset = (timezone.now() - recording.started_at).total_seconds()
        self._began = time.monotonic()
        self._is_saved, self._has_more = True, False
        told = (recording.ended_at - recording.started_at).total_seconds()
        self._gaps = GapFinder(told_ms=round(told * 1000))
        self._last_frame = 0
        self._wrote_at = -inf
        # One that nobody waits for any more is still written when the next one comes.
        self._saving = Lock()

    @property
    def seconds(self) -> float:
        """Since the start of the recording."""
        return self.seconds_at(time.monotonic())

    @property
    def is_full(self) -> bool:
        return (
            self._n_stretches >= MAXIMUM_STRETCHES
            or self.seconds > MAXIMUM_SECONDS
            or self._series.n_samples >= MAXIMUM_SAMPLES
        )

    @property
    def _n_stretches(self) -> int:
        return len(self._earlier) + len(self._timeline.stretches)

    def seconds_at(self, moment: float) -> float:
        """A moment in seconds of ``time.monotonic``, as seconds since the start."""
        return self._offset + moment - self._began

    def add(self, seen: LiveFrame, taken_at: float, frame: int) -> None:
        """Take in one frame; frames are at least as far apart as the series wants them.

        Args:
            seen: what it showed.
            taken_at: in seconds of ``time.monotonic``.
            frame: its number on the socket, from which lost ones are known.
        """
        seconds = max(0.0, self.seconds_at(taken_at))
        if self._keeps_stretches and seen.faces:
            self._timeline.add(seen.faces, seconds)
            self._has_more = True
        self._is_saved = False
        time_ms = round(seconds * 1000)
        # By places in a grid and not by distance: fifteen frames a second give ten as well.
        if time_ms // SAMPLE_MS == self._gaps.told_ms // SAMPLE_MS and self._last_frame:
            return
        is_dropped = bool(self._last_frame) and frame > self._last_frame + 1
        reason = GapReason.DROPPED if is_dropped else GapReason.PAUSED
        for gap in self._gaps.see(time_ms, bool(seen.faces), silence=reason):
            self._series.add_gap(gap)
        self._last_frame = frame
        self._series.add([sample_of(face, time_ms) for face in seen.faces])

    def save(self, *, ends: bool = False) -> None:
        """Write what is new; never brings back a deleted recording. In any thread."""
        with self._saving:
            self._save(ends=ends)

    def _save(self, *, ends: bool) -> None:
        if self._is_saved and not ends:
            return
        self._is_saved = True
        if ends:
            for gap in self._gaps.end():
                self._series.add_gap(gap)
        fields: dict[str, Any] = {}
        n_counted = self._n_counted
        if self._has_more and (ends or self._are_stretches_due()):
            # First: another frame may come while this is written, and is to be written, too.
            self._wrote_at, self._has_more = time.monotonic(), False
            samples = [*self._earlier, *self._timeline.as_stored()]
            more, self._n_counted = len(samples) - self._n_counted, len(samples)
            fields = {
                "samples": samples,
                "stored_bytes": F("stored_bytes") + STRETCH_BYTES * more,
            }
        ended_at = self.recording.started_at + timedelta(seconds=self.seconds)
        try:
            self._series.save(**fields, ended_at=ended_at)
        except BaseException:
            # The next time writes it.
            self._is_saved, self._n_counted = False, n_counted
            self._has_more |= bool(fields)
            raise

    def _are_stretches_due(self) -> bool:
        n = self._n_stretches
        since = time.monotonic() - self._wrote_at
        return n <= STRETCHES_AT_ONCE or since >= SECONDS_A_THOUSAND * n / 1000


def begin(owner_id: int, model_version: str, continued: UUID | None = None) -> Recorder:
    """Start a recording, or go on with one that a lost connection cut off.

    Raises:
        AccountClosed: the account is being deleted.
        QuotaExceeded: there is no room left for what would be stored.
    """
    recording = None
    if continued is not None:
        recording = Recording.objects.filter(
            pk=continued,
            owner_id=owner_id,
            source=Recording.Source.LIVE,
            ended_at__gte=timezone.now() - timedelta(seconds=CONTINUE_SECONDS),
        ).first()
    if recording is None:
        recording = _begin(owner_id, model_version)
    return Recorder(recording)


def _begin(owner_id: int, model_version: str) -> Recording:
    # Without their row: others' sockets would wait for whatever else of theirs has it.
    owner = quotas.active(owner_id)
    quotas.take_room(owner, ROW_BYTES)
    now = timezone.now()
    try:
        with transaction.atomic():
            recording = Recording.objects.create(
                owner=owner,
                model_version=model_version,
                started_at=now,
                ended_at=now,
                stored_bytes=ROW_BYTES,
            )
            audit.record("recording_created", owner, owner, f"recording:{recording.pk}")
    except IntegrityError as error:
        raise quotas.AccountClosed from error  # It was deleted at this moment.
    return recording


def begin_for_others(model_version: str) -> Recording:
    """A recording of nobody's own: whoever asks for it keeps what leads to it, and deletes it."""
    now = timezone.now()
    return Recording.objects.create(
        owner=None,
        model_version=model_version,
        started_at=now,
        ended_at=now,
        stored_bytes=ROW_BYTES,
    )
