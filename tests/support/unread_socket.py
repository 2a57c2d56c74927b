"""A real Daphne with a client that sends pings and reads none of the answers.

Run as a program in a process of its own: which event loop Twisted uses is decided once for each.
Prints the most bytes that the server kept for the client, and how many pings it was sent.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from twisted.internet import asyncioreactor

PINGS_A_SECOND, SECONDS = 100_000, 4
PING = b"\x89\xfd" + bytes(4) + b"p" * 125
HANDSHAKE = (
    b"GET /ws/live/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
)


async def accept(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def ask(port: int, server: Any) -> None:
    """The client, and a look at what is kept for it."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", port))
        connection.sendall(HANDSHAKE)
        assert connection.recv(200).startswith(b"HTTP/1.1 101")
        connection.settimeout(0.1)
        sent = most = 0
        ends_at = time.monotonic() + SECONDS
        while time.monotonic() < ends_at:
            with suppress(TimeoutError):
                sent += connection.send(PING * 100) // len(PING)
            for protocol in list(server.connections):
                transport = getattr(protocol, "transport", None)
                if transport is not None:
                    most = max(most, len(transport.dataBuffer) + transport._tempDataLen)
    sys.stdout.write(json.dumps({"kept": most, "sent": sent}) + "\n")
    sys.stdout.flush()
    os._exit(0)


def main() -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)
    # Twisted's event loop is chosen by now.
    from daphne.server import Server

    from emotion_site import socket_bounds

    bounds = socket_bounds.Bounds(1024, PINGS_A_SECOND, 1024**3)
    socket_bounds.BOUNDS = {"/ws/live/": bounds}
    socket_bounds.install()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    endpoint = f"tcp:port={port}:interface=127.0.0.1"
    server = Server(accept, endpoints=[endpoint], signal_handlers=False)
    server.ready_callable = lambda: threading.Thread(target=ask, args=(port, server)).start()
    server.run()


if __name__ == "__main__":
    main()
