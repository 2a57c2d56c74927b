"""Answers go out as fast as they are read, and no faster.

Daphne takes what the application sends, however much, and keeps it until the client has read it:
forty connections that asked for a photo and read nothing took 150 MB, and one that downloads an
archive takes as much as that has. So the application waits as long as the client does, holds no
connection to the database meanwhile, and a client that reads next to nothing is left: while it
reads, it keeps a thread. One network address has so many that wait for it in each process, and so
many bytes together: of a long list of the API all, and of a stream what it says that it holds, or
else what its next piece is made of.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from asgiref.sync import sync_to_async
from daphne import http_protocol
from django.conf import settings
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from accounts import sockets
from emotion_site.stopping import StoppingServer
from operations import kept_connections, streaming
from operations.turns import stepped_out

#: As how many bytes a stream counts that waits, for the rows that its next piece is made of.
STREAM_BYTES = 256 * 1024
_HELD = streaming.HELD.lower().encode()

#: Answers that wait for their readers, by network address.
_waiting: Counter[str] = Counter()
#: And how many bytes they keep in memory meanwhile.
_bytes: Counter[str] = Counter()


@implementer(IPushProducer)
class _Tap:
    """Closed while the client has not read what was written."""

    def __init__(self) -> None:
        self._is_open = asyncio.Event()
        self._is_open.set()

    @property
    def is_open(self) -> bool:
        return self._is_open.is_set()

    async def opened(self) -> None:
        await self._is_open.wait()

    # What the connection calls: it is full, has sent everything, or is gone.

    def pauseProducing(self) -> None:
        self._is_open.clear()

    def resumeProducing(self) -> None:
        self._is_open.set()

    def stopProducing(self) -> None:
        self._is_open.set()


class PacedRequest(http_protocol.WebRequest):
    """A request whose answer is written no faster than the client reads it."""

    tap: _Tap | None = None
    #: Bytes of the answer that were written, and seconds in which the client kept them waiting.
    n_written = 0
    waited = 0.0
    #: Bytes that stay in memory until the last was read: all, of an answer that is no stream.
    n_whole = 0

    def handle_reply(self, message: dict[str, Any]) -> None:
        if self.tap is None and not self.finished and self.channel is not None:
            self.tap = _Tap()
            self.registerProducer(self.tap, True)
        self.n_written += len(message.get("body", b""))
        if message["type"] == "http.response.start":
            self.n_whole = _whole_bytes(message["headers"])
            message["headers"] = [one for one in message["headers"] if one[0].lower() != _HELD]
        super().handle_reply(message)

    def finish(self) -> None:
        if self.producer is not None and self.channel is not None:
            self.unregisterProducer()
        super().finish()

    async def read(self) -> None:
        """Wait until the client has read what was written; about 64 kB may be on their way."""
        if self.tap is None or self.tap.is_open or self.finished:
            return
        address = self._address()
        others, n_bytes = _waiting[address], self.n_whole
        is_too_much = others and _bytes[address] + n_bytes > settings.READERS_BYTES_PER_ADDRESS
        if others >= settings.READERS_PER_ADDRESS or is_too_much:
            self._leave()
            return
        _waiting[address] += 1
        _bytes[address] += n_bytes
        try:
            await self._wait()
        finally:
            _waiting[address] -= 1
            _bytes[address] -= n_bytes
            if not _waiting[address]:
                del _waiting[address], _bytes[address]

    async def _wait(self) -> None:
        assert self.tap is not None
        # In the thread that the request's pages ran in: readers shall not use up the database's.
        await sync_to_async(kept_connections.let_go)()
        grace = 3 * settings.REQUEST_GRACE_SECONDS
        left = grace + self.n_written / settings.SLOWEST_READING - self.waited
        began = time.monotonic()
        try:
            async with stepped_out():
                async with asyncio.timeout(max(0.0, min(grace, left))):
                    await self.tap.opened()
                self.waited += time.monotonic() - began
        except TimeoutError:
            self._leave()

    def _address(self) -> str:
        scope = {"client": self.client_addr, "headers": self.clean_headers}
        return sockets.address_of(scope)

    def _leave(self) -> None:
        if self.channel is not None:
            self.channel.transport.abortConnection()


def _whole_bytes(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """What waits in memory: of a stream, a little; of an archive, which is on the disk, nothing."""
    told = {name.lower(): value for name, value in headers}
    if _HELD in told:
        # Never so many that another answer of the same address ends a long download.
        return min(int(told[_HELD]), settings.READERS_BYTES_PER_ADDRESS // 4)
    if told.get(b"content-type") == b"application/zip":
        return 0
    return int(told.get(b"content-length", STREAM_BYTES))


class PacedServer(StoppingServer):
    """Daphne's, which tells the application that something is sent once it is read."""

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        await super().handle_reply(protocol, message)
        if isinstance(protocol, PacedRequest):
            await protocol.read()
