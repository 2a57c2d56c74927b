"""The socket of the live page: binary frames in, JSON out; see docs/LIVE_PROTOCOL.md."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
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
from operations import metrics, open_sockets
from operations.buckets import Bucket
from recognition import quotas
from recognition.live import marking, recordings
from recognition.live.pool import load_model, pool
from recognition.live.stream import Answer, FrameStream, labels_message
from recognition.model_registry.catalogue import active_manifest
from recognition.people import CAMERA
from recognition.refusals import Refusal
from recognition.series import markers
from recognition.vision.errors import ModelError

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

# Close codes; 4000 to 4999 are an application's own.
TOO_MANY_BAD_FRAMES = 4400
QUOTA_USED_UP = 4402
NO_CONSENT = 4403
MODEL_UNAVAILABLE = 4503

SOCKETS_PER_USER = 2
#: Characters of a text message that are read.
LONGEST_COMMAND = 500
#: Text messages a second, and at once: each may write to the database, while frames wait in memory.
COMMANDS, COMMANDS_AT_ONCE = 10, 20
#: Bad messages in a row before the connection is closed.
BAD_FRAMES = 5
#: Seconds from the end of one recording to the start of the next: each makes a row.
RECORDING_PAUSE_SECONDS = 1.0
#: Seconds of use after which they are counted in the database.
USAGE_SECONDS = 15.0


class LiveConsumer(AsyncWebsocketConsumer):
    """Labels one person's frames as they come."""

    # Frames never enter the channel layer, and the page works without Redis.
    channel_layer_alias = ""

    user_id: int | None = None
    model_version = ""
    n_bad = 0
    #: Seconds of use that are not counted in the database yet, and those left for today.
    uncounted = 0.0
    seconds_left = float("inf")
    n_seen = 0
    measured_at = 0.0
    work: asyncio.Task[None] | None = None
    watch: asyncio.Task[None] | None = None
    recording: recordings.Recorder | None = None
    recorded_at = float("-inf")
    place: open_sockets.Place | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stream = FrameStream()
        self.commands = Bucket(COMMANDS, COMMANDS_AT_ONCE)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Not in `disconnect`: that is not reached when the server gives up on a connection.
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._clean_up()

    async def dispatch(self, message: dict[str, Any]) -> None:
        # The inherited method first looks for stale database connections, in the one thread
        # that all pages share: not for thirty frames a second.
        if message["type"] == "websocket.receive":
            await self.websocket_receive(message)
        else:
            await super().dispatch(message)

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
        metrics.SOCKETS.change(+1, "live")
        self.user_id = user.pk
        await self._count_use(user)
        if self.seconds_left <= 0:
            await self.close(QUOTA_USED_UP)
            return
        try:
            await database_sync_to_async(active_manifest)()
            self.model_version = await asyncio.get_running_loop().run_in_executor(
                pool(), load_model
            )
        except ModelError:
            logger.exception("the live page has no model")
            await self.close(MODEL_UNAVAILABLE)
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

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.watch is None:
            return  # Refused, and about to be closed.
        if bytes_data is None:
            await self._command(text_data or "")
        elif len(bytes_data) > settings.LIVE_MAXIMUM_BYTES:
            detail = f"A frame may have {settings.LIVE_MAXIMUM_BYTES} bytes."
            await self._refuse("too_large", detail, self.stream.skip())
        else:
            self.stream.offer(bytes_data)
            if self.work is None or self.work.done():
                self.work = asyncio.create_task(self._work())

    async def _work(self) -> None:
        """Look at frames while there are any, one at a time."""
        try:
            looking = self._look()
            while looking is not None:
                answer = await looking
                # The thread has the next frame already while this one's answer is sent.
                looking = self._look()
                if answer is not None:
                    await self._answer(answer)
                looking = looking or self._look()
        except ModelError:
            logger.exception("the live page has no model")
            await self.close(MODEL_UNAVAILABLE)
        except Exception:
            logger.exception("a frame could not be looked at")
            await self.close(1011)

    def _look(self) -> asyncio.Future[Answer | None] | None:
        """Begin with the waiting frame, if there is one."""
        if not self.stream.is_waiting:
            return None
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(pool(), self.stream.process_newest)

    async def _answer(self, answer: Answer) -> None:
        if answer.seen is None:
            error = answer.error
            code = error.code if error is not None else "invalid_image"
            await self._refuse(code, str(error), answer.number)
            return
        self.n_bad = 0
        if self.recording is not None:
            self.recording.add(answer.seen, answer.received_at, answer.number)
        await self._send(labels_message(answer, answer.seen, self.stream.dropped))
        metrics.LIVE_ANSWERS.observe(time.monotonic() - answer.received_at)

    async def _command(self, text: str) -> None:
        """A text message: start or stop recording, or set a marker in it."""
        if not self.commands.take(1):
            await self._refuse("too_soon", f"At most {COMMANDS} text messages a second.")
            return
        try:
            # Longer ones say nothing that we know, and could be nested too deep to be read.
            message = json.loads(text[:LONGEST_COMMAND])
            kind = message["type"]
            continued = UUID(message["session"]) if message.get("session") else None
        except (ValueError, TypeError, KeyError, AttributeError):
            await self._refuse("bad_message", "Text messages are JSON objects with a type.")
            return
        if kind == "record":
            if self.recording is None:
                if time.monotonic() - self.recorded_at < RECORDING_PAUSE_SECONDS:
                    await self._refuse("too_soon", "Wait a second before recording again.")
                    return
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
        elif kind == "stop":
            await self._stop_recording()
        elif kind == "marker":
            await self._set_marker(message)
        else:
            await self._refuse("bad_message", "The types are record, marker and stop.")

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

    async def _refuse(self, code: str, detail: str, frame: int | None = None) -> None:
        self.n_bad += 1
        await self._send({"type": "error", "code": code, "detail": detail, "frame": frame})
        if self.n_bad >= BAD_FRAMES:
            self.stream.clear()
            await self.close(TOO_MANY_BAD_FRAMES)

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
                # Where nothing valid is left, what is loaded goes on.
                with suppress(ModelError):
                    manifest = await database_sync_to_async(active_manifest)()
                    self.model_version = manifest.version
                if self.recording is not None:
                    await database_sync_to_async(self.recording.save)()
                    has_room = await database_sync_to_async(quotas.stored_bytes)(user)
                    if self.recording.is_full or not has_room.has_room_for(0):
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

    async def _clean_up(self) -> None:
        self.stream.clear()
        for task in (self.work, self.watch):
            if task is not None:
                task.cancel()
        if self.user_id is not None:
            metrics.SOCKETS.change(-1, "live")
        if self.place is not None:
            await self.place.leave()
        if self.recording is not None:
            recording, self.recording = self.recording, None
            await database_sync_to_async(recording.save)(ends=True)
        self._measure_use()
        if self.user_id is not None and self.uncounted:
            await database_sync_to_async(quotas.add_live_seconds)(self.user_id, self.uncounted)

    async def _send(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message, separators=(",", ":")))
