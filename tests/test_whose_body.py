"""Whose a larger body is, is looked up for everybody in turn, by its head alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.web.http_headers import Headers

from emotion_site import request_bodies
from emotion_site.request_bodies import BoundedRequest

LARGE = request_bodies.ANYBODY_BYTES + 1


class LookUp:
    """Takes as long as it is let; notes for which cookies it was begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = threading.Event()

    def __call__(self, cookies: bytes, _authorization: bytes) -> int | None:
        self.begun.append(cookies.decode())
        assert self.may_end.wait(10)
        return None

    async def has_begun(self, *names: str) -> None:
        async with asyncio.timeout(10):
            while len(self.begun) < len(names):
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        assert sorted(self.begun) == sorted(names)


@pytest.fixture
def look_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[LookUp]:
    look_up = LookUp()
    monkeypatch.setattr(request_bodies, "signed_in_id", look_up)
    yield look_up
    look_up.may_end.set()


class Head(BoundedRequest):
    """One that has arrived; what is written to its connection is kept."""

    def __init__(self, address: str, name: str) -> None:
        self.written = b""
        self.requestHeaders = Headers({b"cookie": [name.encode()]})
        self.upload_path = "/about/"
        later = SimpleNamespace(cancel=lambda: None)
        transport = SimpleNamespace(
            getPeer=lambda: SimpleNamespace(host=address),
            write=self._write,
            loseWriteConnection=lambda: None,
            abortConnection=lambda: None,
        )
        producer = SimpleNamespace(pauseProducing=lambda: None, resumeProducing=lambda: None)
        self.channel: Any = SimpleNamespace(
            transport=transport, _networkProducer=producer, callLater=lambda *_arguments: later
        )
        self._expect(LARGE)

    def _write(self, data: bytes) -> None:
        self.written += data

    def is_lost(self) -> None:
        self._let_go()
        self.channel = None

    async def status(self) -> str:
        assert self.gate is not None
        await asyncio.wait_for(asyncio.shield(self.gate), 10)
        return self.written.split(b" ")[1].decode()


async def test_heads_of_one_address_keep_nobody_elses_waiting(look_up: LookUp) -> None:
    many = [Head("192.0.2.1", f"one-{number}") for number in range(20)]
    await look_up.has_begun("one-0")
    other = Head("198.51.100.7", "other")
    await look_up.has_begun("one-0", "other")
    look_up.may_end.set()
    assert {await head.status() for head in [*many, other]} == {"413"}


async def test_of_who_is_gone_nothing_is_looked_up(look_up: LookUp) -> None:
    first = Head("192.0.2.1", "first")
    await look_up.has_begun("first")
    gone = [Head("192.0.2.1", f"gone-{number}") for number in range(5)]
    await asyncio.sleep(0.02)
    for head in gone:
        head.is_lost()
    last = Head("192.0.2.1", "last")
    await asyncio.sleep(0.02)
    assert len(request_bodies._threads.tasks) == 2
    look_up.may_end.set()
    assert [await first.status(), await last.status()] == ["413", "413"]
    assert look_up.begun == ["first", "last"]


async def test_the_line_of_one_address_has_an_end(
    look_up: LookUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_bodies, "HEADS_WAITING", 3)
    waiting = [Head("192.0.2.1", f"waiting-{number}") for number in range(3)]
    await look_up.has_begun("waiting-0")
    assert await Head("192.0.2.1", "one too many").status() == "503"
    look_up.may_end.set()
    assert [await head.status() for head in waiting] == ["413"] * 3
    assert await Head("192.0.2.1", "later").status() == "413"
