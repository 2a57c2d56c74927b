"""A participant's page without a browser: cookie, token and socket of the application."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from emotion_site.asgi import application
from recognition.models import Recording
from studies.models import Participation, Study
from studies.taking_part import keys

HOST = "localhost"
AGREES = {"old_enough": "yes", "agrees": "on", "decision": "yes", "consent_version": "1"}


def path(study: Study, page: str = "") -> str:
    """Of a page that a study's participants see."""
    if page in {"", "consent/", "somebody-else/"}:
        return f"/take-part/{study.link_key}/{page}"
    return f"/take-part/in/{study.pk}/{page}"


def agree(study: Study, client: Client | None = None, query: str = "") -> Client:
    """A browser whose person has consented."""
    client = client or Client()
    response = client.post(path(study, "consent/") + query, AGREES)
    assert (response.status_code, response.headers["Location"]) == (302, path(study, "run/"))
    return client


def text(response: Any) -> str:
    """What a page says, in one line."""
    return " ".join(response.content.decode().split())


def stored() -> tuple[int, int]:
    """How many participations and recordings there are."""
    return Participation.objects.count(), Recording.objects.count()


def packed(clock: float, picture: bytes) -> bytes:
    """A frame as the page sends it; `clock` in milliseconds."""
    return struct.pack(">d", clock) + picture


@dataclass
class Participant:
    """Somebody who has agreed.

    Attributes:
        skew: milliseconds by which their clock differs.
    """

    study: Study
    browser: Client = field(default_factory=Client)
    skew: float = 5_000_000.0

    def agree(self) -> Participant:
        path = f"/take-part/{self.study.link_key}/consent/"
        assert self.browser.post(path, AGREES).status_code == 302
        return self

    @property
    def row(self) -> Participation:
        found = keys.find(self.study, {n: c.value for n, c in self.browser.cookies.items()})
        assert found is not None
        return found[0]

    @property
    def clock(self) -> float:
        return time.monotonic() * 1000 + self.skew

    def token(self) -> str:
        response: Any = self.browser.post(f"/take-part/in/{self.study.pk}/token/")
        return str(response.json()["token"])

    def cookie(self) -> str:
        name = keys.cookie_name(self.study.pk)
        return f"{name}={self.browser.cookies[name].value}"

    async def open(
        self,
        token: str | None = None,
        origin: str | None = f"http://{HOST}",
        cookie: str | None = None,
        address: str = "192.0.2.7",
    ) -> StudySocket:
        """A socket, which the server may have refused already."""
        token = token if token is not None else await sync_to_async(self.token)()
        cookie = cookie if cookie is not None else self.cookie()
        headers = [(b"host", HOST.encode()), (b"cookie", cookie.encode())]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        socket = WebsocketCommunicator(
            application,
            "/ws/study/",
            headers,
            [keys.SUBPROTOCOL, keys.TOKEN_SUBPROTOCOL + token],
        )
        socket.scope["client"] = (address, 50_000)
        is_open, protocol = await socket.connect(timeout=30)
        if not is_open:
            raise ConnectionRefusedError(protocol)
        assert protocol == keys.SUBPROTOCOL
        return StudySocket(socket, self)


class Closed(Exception):
    """The server has closed a socket; the code is its argument."""


@dataclass
class StudySocket:
    """One of a participant's sockets. It answers to the clock by itself."""

    socket: WebsocketCommunicator
    who: Participant
    n: int = 0
    n_frames: int = 0

    async def receive(self, *, answers: bool = True) -> dict[str, Any]:
        """The next message but questions of the clock, which are answered.

        Raises:
            Closed: with the code.
        """
        while True:
            output = await self.socket.receive_output(timeout=30)
            if output["type"] == "websocket.close":
                raise Closed(output.get("code"))
            message: dict[str, Any] = json.loads(output["text"])
            if message["type"] != "ping" or not answers:
                return message
            await self.send(type="pong", id=message["id"], clock=self.who.clock)

    async def until(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of these types; others are passed over."""
        while (message := await self.receive())["type"] not in kinds:
            pass
        return message

    async def close_code(self) -> int:
        """Read until the server closes."""
        try:
            while True:
                await self.receive()
        except Closed as closed:
            return int(closed.args[0])

    async def send(self, **message: Any) -> None:
        await self.socket.send_to(text_data=json.dumps(message))

    async def tell(self, kind: str, **message: Any) -> dict[str, Any]:
        """Report something, now by the participant's clock; the answer, `ack` or `error`."""
        self.n += 1
        message = {"clock": self.who.clock, **message}
        await self.send(type=kind, n=self.n, **message)
        while (answer := await self.until("ack", "error")).get("n") != self.n:
            assert answer["type"] == "ack", answer
        return answer

    async def frame(self, picture: bytes, clock: float | None = None) -> dict[str, Any]:
        """Send a frame, and wait for what it is answered with."""
        self.n_frames += 1
        now = self.who.clock if clock is None else clock
        await self.socket.send_to(bytes_data=packed(now, picture))
        while (answer := await self.receive()).get("frame") != self.n_frames:
            pass
        return answer

    async def check(self, picture: bytes) -> dict[str, Any]:
        """Pass the camera check; returns its last answer."""
        assert (await self.tell("check"))["type"] == "ack"
        for _ in range(12):
            answer = await self.frame(picture)
        assert (await self.tell("checked", light=0.5))["type"] == "ack"
        return answer

    async def show(self, block: int) -> dict[str, Any]:
        """Begin a block and end it; the last answer."""
        assert (await self.tell("start", block=block))["type"] == "ack"
        return await self.tell("end", block=block)

    async def leave(self) -> None:
        await self.socket.disconnect()
        await asyncio.sleep(0)


in_thread: Callable[..., Any] = sync_to_async


async def ready(participant: Participant) -> StudySocket:
    """A socket that takes frames."""
    socket = await participant.open()
    assert (await socket.receive())["type"] == "ready"
    return socket


async def blocks_of(participant: Participant) -> list[int]:
    row = await in_thread(lambda: participant.row)()
    return list(row.sequence)
