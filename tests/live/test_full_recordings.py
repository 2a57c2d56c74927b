"""A recording ends by itself where it must not grow any more."""

from __future__ import annotations

import pytest
from channels.testing import WebsocketCommunicator

from accounts.models import User
from recognition.live import consumer, recordings
from recognition.models import Recording
from tests.support.sockets import open_live

pytestmark = pytest.mark.django_db(transaction=True)


async def recording(person: User, monkeypatch: pytest.MonkeyPatch) -> WebsocketCommunicator:
    """Somebody's socket, which is looked at more often than usual."""
    monkeypatch.setattr(consumer, "CHECK_SECONDS", 0.2)
    live = await open_live(person)
    assert (await live.receive_json_from(timeout=30))["type"] == "ready"
    await live.send_json_to({"type": "record"})
    assert (await live.receive_json_from(timeout=30))["type"] == "recording"
    return live


async def test_one_that_is_full_is_stopped(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    live = await recording(alice, monkeypatch)
    monkeypatch.setattr(recordings, "MAXIMUM_SECONDS", 0)
    assert (await live.receive_json_from(timeout=30))["type"] == "recorded"
    await live.disconnect()


async def test_one_without_room_left_is_stopped(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await recording(alice, monkeypatch)
    alice.quota_bytes = (await Recording.objects.aget()).stored_bytes - 1
    await alice.asave()
    assert (await live.receive_json_from(timeout=30))["type"] == "recorded"
    await live.disconnect()
