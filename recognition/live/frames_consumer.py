"""A socket that takes frames of a camera and looks at them; what becomes of it, subclasses say."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from accounts.sockets import address_of
from operations import metrics, open_sockets
from operations.buckets import Bucket
from recognition.live.pool import load_model, pool
from recognition.live.stream import Answer, FrameStream
from recognition.model_registry.catalogue import active_manifest
from recognition.vision.errors import ModelError
from recognition.vision.live import LiveFrame

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

# Close codes; 4000 to 4999 are an application's own.
TOO_MANY_BAD_FRAMES = 4400
MODEL_UNAVAILABLE = 4503

#: Text messages a second, and at once: each may write to the database, while frames wait in memory.
COMMANDS, COMMANDS_AT_ONCE = 10, 20
#: Bad messages in a row before the connection is closed.
BAD_FRAMES = 5


class FramesConsumer(AsyncWebsocketConsumer):
    """Offers frames to the pool of threads, the newest first, and keeps to what one may send.

    A subclass connects, calls :meth:`_begin` once it knows who is there, and says what happens
    with answers (:meth:`_saw`), with text (:meth:`_command`), while it is open (:meth:`_watch`)
    and at its end (:meth:`_end`).
    """

    # Frames never enter the channel layer, and the sockets work without Redis.
    channel_layer_alias = ""

    #: What the metrics of open sockets call it.
    kind = ""
    #: Characters of a text message that are read.
    longest_command = 500
    #: Frames that may wait while one is looked at.
    n_waiting = 1

    model_version = ""
    n_bad = 0
    #: Where it comes from, for turns: network address, and who is there, once that is known.
    sender = ("", "")
    work: asyncio.Task[None] | None = None
    looking: asyncio.Future[Answer | None] | None = None
    watch: asyncio.Task[None] | None = None
    place: open_sockets.Place | None = None
    is_counted = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stream = FrameStream(self.n_waiting)
        self.commands = Bucket(COMMANDS, COMMANDS_AT_ONCE)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.sender = address_of(scope), ""
        # Not in `disconnect`: that is not reached when the server gives up on a connection.
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._clean_up()

    async def dispatch(self, message: dict[str, Any]) -> None:
        # The inherited method first looks for stale database connections, in one of the threads
        # that all sockets share: not for thirty frames a second.
        if message["type"] == "websocket.receive":
            await self.websocket_receive(message)
        else:
            await super().dispatch(message)

    # What subclasses say -------------------------------------------------------------------------

    async def _saw(self, answer: Answer, seen: LiveFrame) -> None:
        """A frame was looked at."""
        raise NotImplementedError

    async def _command(self, message: dict[str, Any]) -> None:
        """A text message came; its ``type`` is whatever the client says."""
        raise NotImplementedError

    async def _watch(self) -> None:
        """Runs beside the socket, and ends it where it has to end."""
        raise NotImplementedError

    async def _end(self) -> None:
        """The socket is gone; to save what was seen."""

    def _frame_of(self, data: bytes) -> tuple[bytes, float | None] | None:
        """A message's picture, and when it was taken in seconds of ``time.monotonic``.

        None for the time is as soon as it came; None for all is a message that has no frame.
        """
        return data, None

    # What they share -----------------------------------------------------------------------------

    def _admit(self, who: str) -> None:
        """Count the socket among those that are open, and its frames among somebody's."""
        # Not those of a browser, which is another one with another cookie.
        self.sender = self.sender[0], who
        self.is_counted = True
        metrics.SOCKETS.change(+1, self.kind)

    async def _begin(self) -> bool:
        """Load the model and watch; False, and closed, where there is no model."""
        try:
            await database_sync_to_async(active_manifest)()
            self.model_version = await self._in_pool(load_model)
        except ModelError:
            await self._has_no_model()
            return False
        return True

    async def _learn_model(self) -> None:
        """Ask whether another model is active; the next frame is labelled by it."""
        # Where nothing valid is left, what is loaded goes on.
        with suppress(ModelError):
            self.model_version = (await database_sync_to_async(active_manifest)()).version

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.watch is None:
            return  # Refused, and about to be closed.
        if bytes_data is None:
            await self._read(text_data or "")
            return
        frame = self._frame_of(bytes_data)
        if frame is None:
            await self._refuse("bad_message", "This is no frame.", self.stream.skip())
        elif len(frame[0]) > settings.LIVE_MAXIMUM_BYTES:
            detail = f"A frame may have {settings.LIVE_MAXIMUM_BYTES} bytes."
            await self._refuse("too_large", detail, self.stream.skip())
        else:
            self.stream.offer(*frame)
            if self.work is None or self.work.done():
                self.work = asyncio.create_task(self._work())

    async def _read(self, text: str) -> None:
        if not self.commands.take(1):
            await self._refuse("too_soon", f"At most {COMMANDS} text messages a second.")
            return
        try:
            # Longer ones say nothing that we know.
            message = json.loads(text[: self.longest_command])
            message["type"]
        except (ValueError, TypeError, KeyError, RecursionError):
            await self._refuse_message()
            return
        await self._command(message)

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
            await self._has_no_model()
        except Exception:
            logger.exception("a frame could not be looked at")
            self.stream.clear()
            await self.close(1011)
            # Frames that still come begin no work beside what goes on in a thread.
            if self.looking is not None:
                await asyncio.wait([self.looking])

    def _look(self) -> asyncio.Future[Answer | None] | None:
        """Begin with the next waiting frame, if there is one."""
        self.looking = None
        if self.stream.is_waiting:
            self.looking = self._in_pool(self.stream.process_next)
        return self.looking

    def _in_pool(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        return asyncio.wrap_future(pool().submit(self.sender, work))

    async def _answer(self, answer: Answer) -> None:
        if answer.seen is None:
            error = answer.error
            code = error.code if error is not None else "invalid_image"
            await self._refuse(code, str(error), answer.number)
            return
        self.n_bad = 0
        await self._saw(answer, answer.seen)
        metrics.LIVE_ANSWERS.observe(time.monotonic() - answer.received_at)

    async def _has_no_model(self) -> None:
        logger.exception("the %s socket has no model", self.kind)
        await self.close(MODEL_UNAVAILABLE)

    async def _refuse_message(self) -> None:
        await self._refuse("bad_message", "Text messages are JSON objects with a type.")

    async def _refuse(self, code: str, detail: str, frame: int | None = None) -> None:
        self.n_bad += 1
        await self._send({"type": "error", "code": code, "detail": detail, "frame": frame})
        if self.n_bad >= BAD_FRAMES:
            self.stream.clear()
            await self.close(TOO_MANY_BAD_FRAMES)

    async def _clean_up(self) -> None:
        self.stream.clear()
        for task in (self.work, self.looking, self.watch):
            if task is not None:
                task.cancel()
        if self.is_counted:
            metrics.SOCKETS.change(-1, self.kind)
        if self.place is not None:
            await self.place.leave()
        await self._end()

    async def _send(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message, separators=(",", ":")))
