"""The socket of the live page: binary frames in, JSON out; see docs/LIVE_PROTOCOL.md."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.conf import settings
from django.urls import reverse

from accounts import consent
from accounts.purposes import ACCOUNT
from accounts.sockets import (
    CHECK_SECONDS,
    NOT_SIGNED_IN,
    TOO_MANY_SOCKETS,
    accepted_user,
    address_of,
    signed_in_user,
)
from operations import open_sockets, rates
from recognition import quotas
from recognition.live import recordings
from recognition.live.frames_consumer import FramesConsumer
from recognition.live.stream import Answer, labels_message
from recognition.people import CAMERA
from recognition.refusals import Refusal
from recognition.series import markers, marking
from recognition.vision.live import LiveFrame

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

# Close codes; 4000 to 4999 are an application's own.
QUOTA_USED_UP = 4402
NO_CONSENT = 4403

SOCKETS_PER_USER = 2
#: Seconds from the end of one recording to the start of the next: each makes a row.
RECORDING_PAUSE_SECONDS = 1.0
#: How often one person's sockets go on with a recording, all of whose stretches are read for it;
#: beyond that, another one begins.
CONTINUED_RATE = "6/m"
#: Seconds of use after which they are counted in the database.
USAGE_SECONDS = 15.0


class LiveConsumer(FramesConsumer):
    """Labels one person's frames as they come."""

    kind = "live"

    user_id: int | None = None
    #: Seconds of use that are not counted in the database yet, and those left for today.
    uncounted = 0.0
    seconds_left = float("inf")
    n_seen = 0
    measured_at = 0.0
    recording: recordings.Recorder | None = None
    recorded_at = float("-inf")

    async def connect(self) -> None:
        user = await accepted_user(self)
        if user is None:
            return
        if not await self._may_see(user):
            await self.close(NO_CONSENT)
            return
        self.place = await open_sockets.take(
            "live", user.pk, address_of(self.scope), of_person=SOCKETS_PER_USER
        )
        if self.place is None:
            await self.close(TOO_MANY_SOCKETS)
            return
        self._admit(str(user.pk))
        self.user_id = user.pk
        await self._count_use(user)
        if self.seconds_left <= 0:
            await self.close(QUOTA_USED_UP)
            return
        if not await self._begin():
            return
        self.measured_at = time.monotonic()
        self.watch = asyncio.create_task(self._watch())
        await self._send(
            {
                "type": "ready",
                "model_version": self.model_version,
                "maximum_bytes": settings.LIVE_MAXIMUM_BYTES,
            }
        )

    async def _may_see(self, user: Any) -> bool:
        """Whether the person has agreed to photo processing and to the live page's notice.

        The site's pages ask for the first one before they show anything; a program sees none.
        """

        def agrees() -> bool:
            return consent.has(user, ACCOUNT) and consent.has(user, CAMERA)

        return await database_sync_to_async(agrees)()

    async def _saw(self, answer: Answer, seen: LiveFrame) -> None:
        if self.recording is not None:
            self.recording.add(seen, answer.taken_at, answer.number)
        await self._send(labels_message(answer, seen, self.stream.dropped))

    async def _command(self, message: dict[str, Any]) -> None:
        """Start or stop recording, or set a marker in it."""
        kind = message["type"]
        try:
            continued = UUID(message["session"]) if message.get("session") else None
        except (ValueError, TypeError, AttributeError):
            await self._refuse_message()
            return
        if kind == "record":
            await self._record(continued)
        elif kind == "stop":
            await self._stop_recording()
        elif kind == "marker":
            await self._set_marker(message)
        else:
            await self._refuse("bad_message", "The types are record, marker and stop.")

    async def _record(self, continued: UUID | None) -> None:
        if self.recording is None:
            if time.monotonic() - self.recorded_at < RECORDING_PAUSE_SECONDS:
                await self._refuse("too_soon", "Wait a second before recording again.")
                return
            if continued is not None:
                # In any thread: it may wait for Redis, and the database has few.
                count = sync_to_async(rates.too_often, thread_sensitive=False)
                wait = await count("continued recordings", str(self.user_id), CONTINUED_RATE)
                continued = continued if wait is None else None
            try:
                self.recording = await database_sync_to_async(recordings.begin)(
                    self.user_id, self.model_version, continued
                )
            except quotas.AccountClosed:
                await self.close(NOT_SIGNED_IN)
                return
            except quotas.QuotaExceeded as error:
                await self._refuse(error.code, str(error))
                return
        await self._send_recording("recording", self.recording)

    async def _set_marker(self, message: dict[str, Any]) -> None:
        """Name this moment of the recording."""
        if self.recording is None:
            await self._refuse("not_recording", "Markers belong to a recording; begin one.")
            return
        # Before the database is waited for: it is the moment that counts.
        time_ms = round(self.recording.seconds * 1000)
        recording_id = self.recording.recording.pk
        try:
            marker = await database_sync_to_async(marking.add)(
                self.user_id, recording_id, time_ms, message.get("name"), message.get("value")
            )
        except quotas.AccountClosed:
            await self.close(NOT_SIGNED_IN)
            return
        except Refusal as error:
            await self._refuse(error.code, str(error))
            return
        if marker is None:
            await self._refuse("not_recording", "The recording was deleted.")
            return
        await self._send({"type": "marker", **markers.as_dict(marker)})

    async def _stop_recording(self) -> None:
        recording, self.recording = self.recording, None
        if recording is not None:
            self.recorded_at = time.monotonic()
            await database_sync_to_async(recording.save)(ends=True)
            await self._send_recording("recorded", recording)

    async def _send_recording(self, kind: str, recording: recordings.Recorder) -> None:
        await self._send(
            {
                "type": kind,
                "session": str(recording.recording.pk),
                "seconds": round(recording.seconds, 1),
                "url": reverse("live_session", args=[recording.recording.pk]),
            }
        )

    async def _watch(self) -> None:
        """Close once the user has signed out, was disabled, withdrew or used up the day's minutes.

        What is recorded is saved, and use is counted: time in which frames came.
        Here, too, a socket learns that another model is active; its next frame is labelled by it.
        """
        try:
            while True:
                await asyncio.sleep(CHECK_SECONDS)
                if self.place is not None:
                    await self.place.keep()
                self._measure_use()
                user = await signed_in_user(self.scope, self.user_id)
                if user is None:
                    await self.close(NOT_SIGNED_IN)
                    return
                if not await self._may_see(user):
                    await self.close(NO_CONSENT)
                    return
                if self.uncounted >= min(USAGE_SECONDS, self.seconds_left):
                    await self._count_use(user)
                    if self.seconds_left <= 0:
                        await self._stop_recording()
                        await self.close(QUOTA_USED_UP)
                        return
                await self._learn_model()
                if (recording := self.recording) is not None:
                    await database_sync_to_async(recording.save)()
                    left = await database_sync_to_async(quotas.bytes_left)(user)
                    if recording.is_full or left < 0:
                        await self._stop_recording()
        except Exception:
            # A socket that is not watched must not stay open.
            logger.exception("a live socket could not be checked")
            await self.close(1011)

    def _measure_use(self) -> None:
        """Add the time since the last look, if frames came in it."""
        now = time.monotonic()
        if self.stream.received > self.n_seen:
            self.uncounted += now - self.measured_at
        self.n_seen, self.measured_at = self.stream.received, now

    async def _count_use(self, user: User) -> None:
        """Write down what was used, by this socket, and learn what is left for all of them."""
        seconds, self.uncounted = self.uncounted, 0.0
        if seconds:
            await database_sync_to_async(quotas.add_live_seconds)(user.pk, seconds)
        quota = await database_sync_to_async(quotas.live_seconds_today)(user)
        self.seconds_left = float("inf") if quota.limit is None else quota.limit - quota.used

    async def _end(self) -> None:
        if self.recording is not None:
            recording, self.recording = self.recording, None
            await database_sync_to_async(recording.save)(ends=True)
        self._measure_use()
        if self.user_id is not None and self.uncounted:
            await database_sync_to_async(quotas.add_live_seconds)(self.user_id, self.uncounted)
