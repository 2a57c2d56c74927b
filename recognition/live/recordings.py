"""Recorded sessions: begin, go on with, save. Labels over time, never a picture."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from recognition import quotas
from recognition.live.timeline import MAXIMUM_SECONDS, MAXIMUM_STRETCHES, LabelTimeline
from recognition.models import LiveSession
from recognition.vision.live import LiveFrame

#: A session may be continued for this long after it was last saved, in seconds: long enough for
#: a lost connection, too short to mix two sittings.
CONTINUE_SECONDS = 120


class Recording:
    """A session that is being recorded on one socket."""

    def __init__(self, session: LiveSession) -> None:
        self.session = session
        self._earlier = list(session.samples)
        self._timeline = LabelTimeline()
        self._offset = (timezone.now() - session.started_at).total_seconds()
        self._began = time.monotonic()
        self._is_saved = True

    @property
    def seconds(self) -> float:
        """Since the start of the session."""
        return self._offset + time.monotonic() - self._began

    @property
    def is_full(self) -> bool:
        n_stretches = len(self._earlier) + len(self._timeline.stretches)
        return n_stretches >= MAXIMUM_STRETCHES or self.seconds > MAXIMUM_SECONDS

    def add(self, seen: LiveFrame, received_at: float) -> None:
        """Take in one frame; `received_at` is in seconds of ``time.monotonic``."""
        seconds = max(0.0, self._offset + received_at - self._began)
        self._timeline.add(seen.faces, seconds)
        self._is_saved = False

    def save(self, *, ends: bool = False) -> None:
        """Write the row, where there is something new; never brings back a deleted one."""
        if self._is_saved and not ends:
            return
        self._is_saved = True
        LiveSession.objects.filter(pk=self.session.pk).update(
            samples=[*self._earlier, *self._timeline.as_stored()],
            ended_at=self.session.started_at + timedelta(seconds=self.seconds),
        )


def begin(owner_id: int, model_version: str, continued: UUID | None = None) -> Recording:
    """Start a session, or go on with one that a lost connection cut off.

    Raises:
        AccountClosed: the account is being deleted.
    """
    session = None
    if continued is not None:
        session = LiveSession.objects.filter(
            pk=continued,
            owner_id=owner_id,
            ended_at__gte=timezone.now() - timedelta(seconds=CONTINUE_SECONDS),
        ).first()
    if session is None:
        now = timezone.now()
        with transaction.atomic():
            owner = quotas.lock(owner_id)
            session = LiveSession.objects.create(
                owner=owner, model_version=model_version, started_at=now, ended_at=now
            )
    return Recording(session)
