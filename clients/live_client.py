"""A small client for the live page's WebSocket; docs/LIVE_PROTOCOL.md describes the messages.

Needs the packages ``websockets`` and ``Pillow``, and a user who has agreed to the live page's
notice; otherwise the server closes with 4403. As a program it sends image files, scaled down to
the size of a camera frame, and prints the answers:
``VISAGE_PASSWORD=… python clients/live_client.py http://localhost:8000 me@example.com *.jpg``
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from http.cookiejar import CookieJar
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from PIL import Image, ImageOps
from websockets.asyncio.client import ClientConnection, connect

Message = dict[str, Any]

#: The live page's camera frames have this many pixels on their longest side.
LONGEST_SIDE = 640


def sign_in(site: str, email: str, password: str) -> str:
    """Sign in by the ordinary form.

    Args:
        site: such as ``http://localhost:8000``.

    Returns:
        The value of the Cookie header to send from now on.

    Raises:
        PermissionError: the site does not accept the password.
        OSError: the site does not answer.
    """
    cookies = CookieJar()
    opener = build_opener(HTTPCookieProcessor(cookies))
    page = f"{site}/accounts/login/"
    opener.open(page, timeout=30).close()
    # Over HTTPS their names begin with __Host-.
    token = next(cookie.value for cookie in cookies if cookie.name.endswith("csrftoken"))
    form = {"login": email, "password": password, "csrfmiddlewaretoken": token}
    headers = {"Referer": page, "Origin": site}
    request = Request(page, urlencode(form).encode(), headers)  # noqa: S310 (the site you named)
    opener.open(request, timeout=30).close()
    values = {cookie.name: cookie.value for cookie in cookies}
    if not any(name.endswith("sessionid") for name in values):
        raise PermissionError("The email address or the password is wrong.")
    return "; ".join(f"{name}={value}" for name, value in values.items())


class LiveClient:
    """One socket: ``async with LiveClient(site, cookie) as live: await live.label(jpeg)``."""

    def __init__(self, site: str, cookie: str, *, origin: str | None = None) -> None:
        """Nothing is opened yet.

        Args:
            site: such as ``http://localhost:8000``.
            cookie: from :func:`sign_in`.
            origin: told to the server; by default the site itself, as from its own page.
        """
        self._address = site.replace("http", "ws", 1) + "/ws/live/"
        self._headers = {"Cookie": cookie} if cookie else {}
        self._origin = origin if origin is not None else site
        self._connection: ClientConnection | None = None
        #: Frames sent so far, which is also the number of the last one.
        self.n_sent = 0

    async def __aenter__(self) -> LiveClient:
        self._connection = await connect(
            self._address,
            origin=self._origin,  # type: ignore[arg-type]
            additional_headers=self._headers,
            compression=None,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.connection.close()

    @property
    def connection(self) -> ClientConnection:
        if self._connection is None:
            raise RuntimeError("Use `async with`: no socket is open.")
        return self._connection

    async def send(self, frame: bytes) -> int:
        """Send a frame; returns its number."""
        self.n_sent += 1
        number = self.n_sent
        await self.connection.send(frame)
        return number

    async def receive(self) -> Message:
        """The next message.

        Raises:
            websockets.ConnectionClosed: with the close code as ``error.rcvd.code``.
        """
        message: Message = json.loads(await self.connection.recv())
        return message

    async def label(self, frame: bytes) -> Message:
        """Send a frame and wait for its answer: a message of type ``labels`` or ``error``."""
        number = await self.send(frame)
        while True:
            message = await self.receive()
            if message.get("frame") == number:
                return message

    async def command(self, **message: Any) -> None:
        """Send a text message, such as ``type="record"``."""
        await self.connection.send(json.dumps(message))


def frame_of(file: Path) -> bytes:
    """An image file as a JPEG frame: upright, and no larger than a camera's.

    The server refuses what is larger than a frame may be, as almost every photo of a phone is.
    Boxes in the answer are in pixels of the frame; it carries the frame's width and height.

    Raises:
        OSError: the file is missing, or is no image that Pillow reads.
    """
    with Image.open(file) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    buffer = io.BytesIO()
    upright.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


async def _main(site: str, email: str, files: list[str]) -> None:
    cookie = sign_in(site, email, os.environ["VISAGE_PASSWORD"])
    async with LiveClient(site, cookie) as live:
        for file in files:
            answer = await live.label(frame_of(Path(file)))
            sys.stdout.write(f"{file} {json.dumps(answer)}\n")


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], sys.argv[3:]))
