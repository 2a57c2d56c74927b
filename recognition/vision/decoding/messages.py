"""What web process and child say to each other: a JSON object, then pieces of bytes.

The child has read hostile bytes, so its words are checked like anybody's: nothing is unpickled.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

_LENGTHS = struct.Struct(">II")
#: Bytes that one message may have: more than the largest photo (`images.MAXIMUM_BYTES`, which this
#: module leaves alone, for children that decode no photos).
MAXIMUM_BYTES = 128 * 1024 * 1024


def send(channel: socket.socket, words: dict[str, Any], *pieces: bytes) -> None:
    """Send a message.

    Raises:
        OSError: nobody is there, or the channel's time is over.
    """
    head = json.dumps({**words, "pieces": [len(piece) for piece in pieces]}).encode()
    channel.sendall(_LENGTHS.pack(len(head), sum(map(len, pieces))) + head)
    for piece in pieces:
        channel.sendall(piece)


def receive(
    channel: socket.socket, deadline: float | None = None
) -> tuple[dict[str, Any], list[bytes]]:
    """Receive a message, in time.

    Args:
        channel: to receive from.
        deadline: of ``time.monotonic``; None to wait for as long as it takes.

    Raises:
        EOFError: the other side is gone.
        TimeoutError: the deadline has passed.
        ValueError: this is not a message.
    """
    head_length, pieces_length = _LENGTHS.unpack(_read(channel, _LENGTHS.size, deadline))
    if head_length + pieces_length > MAXIMUM_BYTES:
        raise ValueError("the message is too long")
    words = json.loads(_read(channel, head_length, deadline))
    data = _read(channel, pieces_length, deadline)
    pieces, at = [], 0
    for length in words.pop("pieces"):
        pieces.append(data[at : at + length])
        at += length
    return words, pieces


def _read(channel: socket.socket, length: int, deadline: float | None) -> bytes:
    data = bytearray(length)
    view, at = memoryview(data), 0
    while at < length:
        if deadline is not None:
            channel.settimeout(max(0.001, deadline - time.monotonic()))
        count = channel.recv_into(view[at:])
        if not count:
            raise EOFError
        at += count
    return bytes(data)
