"""Sockets are opened a few at a time, and everybody's in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from emotion_site import socket_turns
from emotion_site.socket_turns import AT_ONCE, OF_ADDRESS, OF_CALLER, FairHandshakes

CONNECT, DISCONNECT = {"type": "websocket.connect"}, {"type": "websocket.disconnect"}
Open = Callable[..., Awaitable["Socket"]]


@dataclass
class Site:
    """Notes who is being let in; lets somebody in when told to."""

    opening: list[str] = field(default_factory=list)
    heard: list[Any] = field(default_factory=list)
    may_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert (await receive()) == CONNECT
        self.opening.append(scope["client"][0])
        await self.may_open.wait()
        self.opening.remove(scope["client"][0])
        while (message := await receive()) != DISCONNECT:
            self.heard.append(message)


@dataclass
class Socket:
    messages: asyncio.Queue[Any]
    task: asyncio.Task[None]


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def opened(site: Site) -> Open:
    """Begins to open a socket."""
    application = FairHandshakes(site)

    async def open_one(address: str = "192.0.2.1", cookie: str = "a") -> Socket:
        messages: asyncio.Queue[Any] = asyncio.Queue()
        messages.put_nowait(CONNECT)
        scope = {"client": [address, 1], "headers": [(b"cookie", cookie.encode())]}

        async def send(message: Any) -> None:
            raise AssertionError(message)

        task = asyncio.create_task(application(scope, messages.get, send))
        await settled()
        return Socket(messages, task)

    return open_one


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_browser_and_one_address_leave_turns_to_others(site: Site, opened: Open) -> None:
    for _ in range(20):
        await opened()
    assert len(site.opening) == OF_CALLER
    for number in range(20):
        await opened(cookie=str(number))
    assert len(site.opening) == OF_ADDRESS
    for _ in range(OF_CALLER):
        await opened("198.51.100.7")
    assert site.opening.count("198.51.100.7") == OF_CALLER
    assert len(site.opening) == AT_ONCE
    await opened("203.0.113.9")
    assert len(site.opening) == AT_ONCE
    site.may_open.set()
    await settled()
    assert not site.opening, "those who are in leave their turn to who waits"


async def test_an_open_socket_has_no_turn_and_loses_no_message(site: Site, opened: Open) -> None:
    site.may_open.set()
    sockets = [await opened() for _ in range(3 * AT_ONCE)]
    for number, socket in enumerate(sockets):
        socket.messages.put_nowait(number)
        socket.messages.put_nowait(-number)
        socket.messages.put_nowait(DISCONNECT)
    await asyncio.gather(*(socket.task for socket in sockets))
    assert sorted(site.heard) == sorted(n for i in range(3 * AT_ONCE) for n in (i, -i))


async def test_who_goes_while_waiting_is_never_looked_up(site: Site, opened: Open) -> None:
    inside = [await opened() for _ in range(OF_CALLER)]
    waiting = [await opened() for _ in range(3)]
    for socket in waiting:
        socket.messages.put_nowait(DISCONNECT)
    await asyncio.gather(*(socket.task for socket in waiting))
    assert len(site.opening) == OF_CALLER
    inside[0].task.cancel()  # As the server does where a handshake takes too long.
    await settled()
    await opened()
    assert len(site.opening) == OF_CALLER + 1, "its turn went to the next"
    site.may_open.set()


async def test_one_that_is_broken_off_while_it_waits_leaves_nothing(
    site: Site, opened: Open
) -> None:
    inside = [await opened() for _ in range(OF_CALLER)]
    waiting = await opened()
    waiting.task.cancel()
    await settled()
    assert waiting.task.cancelled()
    for socket in inside:
        socket.task.cancel()
    await settled()
    site.opening.clear()
    for _ in range(5):
        await opened()
    assert len(site.opening) == OF_CALLER


async def test_one_that_waits_for_long_goes_on_without_its_turn(
    site: Site, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as for Redis, which says nothing: it keeps nobody else waiting."""
    monkeypatch.setattr(socket_turns, "LONGEST", 0.05)
    sockets = [await opened() for _ in range(OF_CALLER)]
    for socket in sockets:
        socket.messages.put_nowait("first")
    await opened()
    assert len(site.opening) == OF_CALLER
    await asyncio.sleep(0.2)
    assert len(site.opening) == OF_CALLER + 1
    site.may_open.set()
    await settled()
    assert site.heard == ["first"] * OF_CALLER
    # Their turns were given back once: no more are let in than at the beginning.
    site.may_open.clear()
    for _ in range(5):
        await opened()
    assert len(site.opening) == OF_CALLER
