"""Places of open sockets are given back, whatever becomes of who asked for one."""

from __future__ import annotations

import asyncio

import pytest

from operations import open_sockets


async def test_who_goes_while_redis_is_asked_keeps_no_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = asyncio.Event()

    async def ask(self: open_sockets.Place, *limits: int) -> bool:
        asked.set()
        await asyncio.Event().wait()
        return True

    monkeypatch.setattr(open_sockets.Place, "_ask", ask)
    task = asyncio.create_task(open_sockets.take("live", 7, "192.0.2.1", of_person=2))
    await asked.wait()
    assert sum(open_sockets._here.values()) == 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not open_sockets._here
