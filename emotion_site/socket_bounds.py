"""How much a client may send over a WebSocket, decided where the bytes arrive.

The application sees whole messages, one after the other out of a queue without an end: whoever
sends faster than it reads fills the memory, and a megabyte of one-byte frames keeps the event loop
for seconds. So frames are counted as they begin, in the server's protocol, and a client that sends
too many, or too much, is cut off before anything of it is queued.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from daphne import ws_protocol
from django.conf import settings

from operations.buckets import Bucket

#: Close code for a client that sends too much, too fast (4000 to 4999 are an application's own).
TOO_NOISY = 4408
#: Seconds that a message may take from its first to its last fragment.
MESSAGE_SECONDS = 30.0
#: Seconds for which a connection stays after its close frame, for the client to read it.
LINGER_SECONDS = 1.0
#: Seconds in which whoever was told goodbye may read the rest.
GOODBYE_SECONDS = 10.0


@dataclass(frozen=True)
class Bounds:
    """What one socket may receive.

    Attributes:
        message_bytes: of one message; more ends the connection with 1009.
        frames: a second, pings and fragments among them; twice as many at once.
        bytes: a second, and at once.
    """

    message_bytes: int
    frames: float
    bytes: float


#: By path; pages have nothing to say to the others. A client that sends its next frame when an
#: answer comes must not be cut off because the server is fast: one core answers 230 a second.
_FRAMES = Bounds(2 * settings.LIVE_MAXIMUM_BYTES, 500, 12 * 1024 * 1024)
BOUNDS = {"/ws/live/": _FRAMES, "/ws/study/": _FRAMES}
SILENT = Bounds(1024, 5, 2048)


class Joined:
    """Bytes that come in pieces, kept as what they are together.

    As a list each piece is an object of its own: a megabyte in fragments of two bytes took fifty.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()

    def append(self, piece: bytes) -> None:
        self._bytes += piece

    def extend(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            self._bytes += piece

    def __iter__(self) -> Iterator[bytes]:
        yield bytes(self._bytes)


class BoundedSocket(ws_protocol.WebSocketProtocol):
    """A WebSocket that is closed where its client sends more than it may."""

    is_cut_off = False
    #: When the message that is on its way began, in seconds of ``time.monotonic``.
    begun_at: float | None = None
    frame_bucket: Bucket
    byte_bucket: Bucket

    def onConnect(self, request: Any) -> Any:
        bounds = BOUNDS.get(request.path, SILENT)
        self.maxMessagePayloadSize = self.maxFramePayloadSize = bounds.message_bytes
        self.frame_bucket = Bucket(bounds.frames, 2 * bounds.frames)
        self.byte_bucket = Bucket(bounds.bytes, bounds.bytes)
        return super().onConnect(request)

    def onOpen(self) -> None:
        super().onOpen()
        # A client that reads none of its answers is not read from, either: each ping has one, and
        # the transport keeps what is not read, however much. Its producer is still the HTTP
        # connection that this was, which pauses nothing any more.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.transport, True)

    def dropConnection(self, abort: bool = False) -> None:
        super().dropConnection(abort)
        if not abort:
            # It would wait without an end for whoever says goodbye and reads no more.
            self.factory.reactor.callLater(GOODBYE_SECONDS, self.transport.abortConnection)

    def onFrameBegin(self) -> None:
        n_bytes = self.current_frame.length
        # A message that is too large by itself has its own code.
        fits = n_bytes <= self.maxFramePayloadSize
        if not self.frame_bucket.take(1) or (fits and not self.byte_bucket.take(n_bytes)):
            self._cut_off(TOO_NOISY)
        else:
            super().onFrameBegin()

    def onMessageBegin(self, isBinary: bool) -> None:
        super().onMessageBegin(isBinary)
        self.message_data, self.begun_at = Joined(), time.monotonic()

    def onMessageFrameBegin(self, length: int) -> None:
        super().onMessageFrameBegin(length)
        self.frame_data = Joined()

    def onMessageEnd(self) -> None:
        super().onMessageEnd()
        self.begun_at = None

    def check_timeouts(self) -> None:
        super().check_timeouts()
        begun_at = self.begun_at
        if begun_at is not None and time.monotonic() - begun_at > MESSAGE_SECONDS:
            # Its client may have slept for so long, and comes back.
            self._cut_off(self.CLOSE_STATUS_CODE_GOING_AWAY)

    def processData(self) -> bool:
        if self.is_cut_off:
            # What has arrived already is not even looked at.
            self.data = b""
            return False
        more: bool = super().processData()
        return more and not self.is_cut_off

    def onFrameData(self, payload: bytes) -> Any:
        return None if self.is_cut_off else super().onFrameData(payload)

    def onFrameEnd(self) -> Any:
        return None if self.is_cut_off else super().onFrameEnd()

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        # What was said in words still counts, as what a participant reports before they go.
        self._forget(lambda message: "bytes" in message)
        super().onClose(wasClean, code, reason)

    def serverAccept(self, subprotocol: str | None = None) -> None:
        # Its client may have been told to go meanwhile: opened again, nothing ended it any more.
        if self.state == self.STATE_CONNECTING:
            super().serverAccept(subprotocol)

    def serverSend(self, content: Any, binary: bool = False) -> None:
        # Its application may not know yet that the client is gone, or cut off.
        if self.state in {self.STATE_CONNECTING, self.STATE_OPEN}:
            super().serverSend(content, binary)

    def serverClose(self, code: int | None = None) -> None:
        # The inherited method takes an application's own codes alone, and raises at this one: the
        # socket stayed open, and nobody watched it any more.
        if code == self.CLOSE_STATUS_CODE_INTERNAL_ERROR:
            self.sendCloseFrame(code=code)
        else:
            super().serverClose(code)

    def _max_message_size_exceeded(self, msg_size: int, max_msg_size: int, reason: str) -> None:
        # The inherited method drops the connection without a word.
        self._cut_off(self.CLOSE_STATUS_CODE_MESSAGE_TOO_BIG)

    def _cut_off(self, code: int) -> None:
        """Take nothing more from this client, tell it why, and go."""
        self.is_cut_off = self.failedByMe = True
        self._forget(lambda message: message["type"] == "websocket.receive")
        self.sendCloseFrame(code=code)
        self.transport.pauseProducing()
        self.factory.reactor.callLater(LINGER_SECONDS, self.dropConnection, abort=True)

    def _forget(self, unwanted: Callable[[Any], bool]) -> None:
        """Let go of what the application has not read: sockets that are gone outlive their end."""
        self.data, self.begun_at = b"", None
        self.message_data = self.frame_data = Joined()
        queue = getattr(self, "application_queue", None)
        if queue is None:
            return
        for message in [queue.get_nowait() for _ in range(queue.qsize())]:
            if not unwanted(message):
                queue.put_nowait(message)


def install() -> None:
    """Make Daphne use it."""
    ws_protocol.WebSocketFactory.protocol = BoundedSocket
