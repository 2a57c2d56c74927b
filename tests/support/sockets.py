"""Live sockets to a running site, and sockets of the application without one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client
from websockets.exceptions import ConnectionClosed

from accounts import consent
from accounts.models import User
from clients.live_client import LiveClient
from emotion_site.asgi import application
from recognition.people import CAMERA
from tests.support.page_client import PageClient
from tests.support.site import Person, Site

HOST = "localhost:8000"


@dataclass(frozen=True)
class Viewer:
    """Somebody on the running site who can open live sockets."""

    site: Site
    person: Person

    def open(self, *, origin: str | None = None) -> PageClient:
        cookie = self.person.session
        return PageClient(self.site.url, cookie, origin=origin)


async def close_code(live: LiveClient, seconds: float = 15) -> int:
    """Read until the server closes; returns the code."""
    with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012 (which message is the last?)
        async with asyncio.timeout(seconds):
            while True:
                await live.receive()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def open_live(user: User) -> WebsocketCommunicator:
    """A live socket of the application that somebody opens on the site's own page; connected."""
    client = Client()
    await sync_to_async(client.force_login)(user)
    await sync_to_async(consent.give)(user, CAMERA)
    cookie = f"sessionid={client.cookies['sessionid'].value}".encode()
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost"), (b"cookie", cookie)]
    communicator = WebsocketCommunicator(application, "/ws/live/", headers)
    assert (await communicator.connect())[0]
    return communicator


def program(key: str, path: str = "/ws/live/", **headers: str) -> WebsocketCommunicator:
    """A socket of the application that a program opens with a token, with no origin."""
    sent = {"host": HOST, "authorization": f"Bearer {key}", **headers}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
    return WebsocketCommunicator(application, path, raw)


def socket(origin: str | None, user: User | None = None) -> WebsocketCommunicator:
    headers = [(b"host", HOST.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    if user is not None:
        client = Client()
        client.force_login(user)
        headers.append((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()))
    return WebsocketCommunicator(application, "/ws/uploads/", headers)
