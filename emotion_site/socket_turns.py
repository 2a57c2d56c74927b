"""How many WebSockets one web process opens at the same time, and whose is next.

To know who is there asks the database and counts in Redis. Somebody who opens and drops sockets as
fast as they can would fill the process with such questions. So a few are opened at a time, and
people are served in turn.
"""

from __future__ import annotations

import asyncio
from typing import Any

from accounts.sockets import address_of, caller_of
from operations import turns

#: Sockets that are opened at a time; of these from one network address, and by one browser there.
AT_ONCE, OF_ADDRESS, OF_CALLER = 8, 6, 2
#: Seconds after which a socket goes on without its turn: it waits for Redis, which says nothing,
#: and keeps nobody waiting.
LONGEST = 1.0


class FairHandshakes:
    """An ASGI application for WebSockets that waits for its turn to open one."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._line = turns.Line(AT_ONCE, of_place=OF_ADDRESS, of_caller=OF_CALLER)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        turn = self._line.turn(address_of(scope), caller_of(scope))
        handshake = _Handshake(turn, receive)
        try:
            if await handshake.is_admitted():
                await self._application(scope, handshake.receive, send)
        finally:
            handshake.end()


class _Handshake:
    """What comes over a socket, and the turn in which it is opened."""

    def __init__(self, turn: turns.Turn, receive: Any) -> None:
        self._turn, self._receive = turn, receive
        self._first: Any = None
        self._next: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def is_admitted(self) -> bool:
        """Wait for the turn; False where the client has gone meanwhile."""
        self._first = await self._receive()
        taking = asyncio.create_task(self._turn.take())
        # Nothing else can come before the socket is open.
        self._next = asyncio.create_task(self._receive())
        try:
            await asyncio.wait({taking, self._next}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not taking.done():
                taking.cancel()
        if not taking.done():
            return False
        self._timer = asyncio.get_running_loop().call_later(LONGEST, self._turn.end)
        return True

    async def receive(self) -> Any:
        """The next message. Whoever asks for the second one has dealt with the request."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        self._end_turn()
        if self._next is not None:
            following, self._next = self._next, None
            return await following
        return await self._receive()

    def _end_turn(self) -> None:
        self._turn.end()
        if self._timer is not None:
            self._timer.cancel()

    def end(self) -> None:
        self._end_turn()
        if self._next is not None:
            self._next.cancel()
