"""WebSockets: who gets in, from which page, and what they hear."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from accounts.models import User
from recognition.uploads import notifications
from tests.support.sockets import HOST, socket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def site_url(settings: Any) -> None:
    """The one host and port that this site is reached by."""
    settings.SITE_URL = f"http://{HOST}"


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "http://evil.example",
        "http://localhost:8001",
        "http://localhost",
        "http://localhost:8000.evil.example",
        "http://evil.example/localhost:8000",
        "file://",
        "http://[",
    ],
)
async def test_pages_of_other_sites_are_refused(origin: str | None, alice: User) -> None:
    communicator = await sync_to_async(socket)(origin, alice)
    connected, _code = await communicator.connect()
    assert not connected


async def test_strangers_are_told_to_sign_in() -> None:
    communicator = socket(f"http://{HOST}")
    await communicator.connect()
    closing = await communicator.receive_output(timeout=10)
    assert (closing["type"], closing["code"]) == ("websocket.close", 4401)


async def test_people_hear_of_their_own_uploads_only(alice: User, bob: User) -> None:
    alices = await sync_to_async(socket)(f"http://{HOST}", alice)
    bobs = await sync_to_async(socket)(f"http://{HOST}", bob)
    assert (await alices.connect())[0]
    assert (await bobs.connect())[0]
    await sync_to_async(notifications.upload_changed)(alice.pk, "some-id", "done")
    assert await alices.receive_json_from() == {"id": "some-id", "status": "done"}
    assert await bobs.receive_nothing()
    await alices.disconnect()
    await bobs.disconnect()


async def test_what_a_page_says_is_ignored(alice: User) -> None:
    communicator = await sync_to_async(socket)(f"http://{HOST}", alice)
    assert (await communicator.connect())[0]
    await communicator.send_to("{not json")
    await communicator.send_to(bytes_data=b"\x00" * 100)
    await sync_to_async(notifications.upload_changed)(alice.pk, "1", "done")
    assert (await communicator.receive_json_from())["id"] == "1"
    await communicator.disconnect()


def test_a_silent_redis_is_survived(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*args: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(get_channel_layer(), "group_send", broken)
    notifications.upload_changed(alice.pk, "1", "done")
