"""A small client for the live socket; docs/LIVE_PROTOCOL.md describes the messages.

Needs the packages ``websockets`` and ``Pillow``, and an API token for live frames, whose owner has
accepted the live page's notice. As a program it sends image files, scaled down to the size of a
camera frame, and prints the answers; with ``--record`` they become a recording, with ``--mark``
one with a marker where each file begins:
``VISAGE_TOKEN=… python clients/live_client.py http://localhost:8000 --record --mark *.jpg``
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from PIL import Image, ImageOps
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

Message = dict[str, Any]

#: The live page's camera frames have this many pixels on their longest side.
LONGEST_SIDE = 640
#: Seconds between two frames of the same file: a recording keeps ten samples a second.
PAUSE = 0.1
#: Characters that the name of a marker may have.
LONGEST_NAME = 80

#: What the server closes a socket with.
CLOSED = {
    4400: "too many messages that are no frames",
    4401: "the token is wrong, deleted or expired, or its owner was disabled",
    4402: "today's live minutes are used up",
    4403: "the token's owner has to sign in and accept the notice of the live page",
    4405: "the token is not one for live frames",
    4408: "too many messages at once",
    4429: "too many sockets are open, or too many wrong tokens were sent",
    4503: "the server has no trained model",
}


class CommandRefused(Exception):
    """The server answers a text message with an error; the message says why."""


class LiveClient:
    """One socket: ``async with LiveClient(site, token) as live: await live.label(jpeg)``."""

    def __init__(self, site: str, token: str) -> None:
        """Nothing is opened yet.

        Args:
            site: such as ``http://localhost:8000``.
            token: an API token for live frames.
        """
        self._address = site.rstrip("/").replace("http", "ws", 1) + "/ws/live/"
        self._token = token
        self._connection: ClientConnection | None = None
        #: Frames sent so far, which is also the number of the last one.
        self.n_sent = 0

    def headers(self) -> Mapping[str, str]:
        """What tells the server who opens the socket."""
        return {"Authorization": f"Bearer {self._token}"}

    async def __aenter__(self) -> LiveClient:
        self._connection = await connect(
            self._address, additional_headers=self.headers(), compression=None
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

    async def record(self, session: str | None = None) -> Message:
        """Begin to record, or go on with a session that a lost connection has cut off.

        Returns:
            The message ``recording``, with the id ``session`` and the path ``url`` of its page.

        Raises:
            CommandRefused: such as for a full storage.
        """
        return await self._ask("recording", type="record", session=session)

    async def mark(self, name: str, value: float | None = None) -> Message:
        """Name this moment of the recording; returns the message ``marker``.

        Raises:
            CommandRefused: nothing is recorded, or the name is empty or too long.
        """
        return await self._ask("marker", type="marker", name=name, value=value)

    async def stop(self) -> Message:
        """End the recording; returns the message ``recorded``."""
        return await self._ask("recorded", type="stop")

    async def _ask(self, kind: str, **message: Any) -> Message:
        """Send a command, wait for its answer, and pass over those of earlier frames."""
        await self.command(**message)
        while True:
            answer = await self.receive()
            if answer["type"] == kind:
                return answer
            if answer["type"] == "error" and answer["frame"] is None:
                raise CommandRefused(answer["detail"])


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


async def show(live: LiveClient, frame: bytes, seconds: float) -> Message:
    """Send a frame again and again for so long, at least once; returns the last answer."""
    ends = time.monotonic() + seconds
    while True:
        answer = await live.label(frame)
        if time.monotonic() >= ends or answer["type"] == "error":
            return answer
        await asyncio.sleep(PAUSE)


async def run(site: str, token: str, options: argparse.Namespace) -> None:
    """Send the files of a command line, and print a line for each."""
    async with LiveClient(site, token) as live:
        # Before anything is sent: whom the server does not let in hears why only by reading.
        await live.receive()
        if options.record:
            await live.record()
        for file in options.files:
            frame = frame_of(file)
            if options.mark:
                await live.mark(file.stem[:LONGEST_NAME])
            answer = await show(live, frame, options.seconds)
            sys.stdout.write(f"{file} {json.dumps(answer)}\n")
        if options.record:
            recorded = await live.stop()
            sys.stdout.write(f"recorded {site.rstrip('/')}{recorded['url']}\n")


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns its exit status."""
    parser = argparse.ArgumentParser(description="Send images to the live socket of a Visage site.")
    parser.add_argument("site", help="such as http://localhost:8000")
    parser.add_argument("files", nargs="+", type=Path, help="images")
    parser.add_argument("--record", action="store_true", help="keep what is seen as a recording")
    parser.add_argument(
        "--mark", action="store_true", help="set a marker with its name where each file begins"
    )
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="show each file for so long (default: once)"
    )
    options = parser.parse_args(arguments)
    if options.mark and not options.record:
        parser.error("--mark needs --record: markers belong to a recording")
    token = os.environ.get("VISAGE_TOKEN")
    if not token:
        parser.error("put an API token for live frames into the variable VISAGE_TOKEN")
    try:
        asyncio.run(run(options.site, token, options))
    except ConnectionClosed as error:
        code = error.rcvd.code if error.rcvd is not None else 1006
        sys.stderr.write(f"closed: {CLOSED.get(code, 'the connection was lost')} ({code})\n")
        return 1
    except (CommandRefused, InvalidHandshake, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
