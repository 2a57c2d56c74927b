"""Text that is made while it is sent, however long it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async

#: The header of an answer that says how many bytes it keeps in memory until all of it was read,
#: where that is more than a piece; the server takes it away.
HELD = "X-Held-Bytes"
#: Characters that are made before they are sent.
PIECE = 65_536


async def piecewise(pieces: Iterator[str]) -> AsyncIterator[str]:
    """The same text, a piece after the other once it is asked for.

    Of a plain iterator the server would read all before it sends a byte. Between two pieces the
    connection to the database may have been closed, for the reader may be slow: whoever makes the
    text must have no query open then.
    """
    # In the thread of the request, to which its connection to the database belongs.
    following = sync_to_async(_following)
    while piece := await following(pieces):
        yield piece


async def piecewise_bytes(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same as :func:`piecewise`, for what is no text."""
    following = sync_to_async(_following_bytes)
    while piece := await following(pieces):
        yield piece


def _following_bytes(pieces: Iterator[bytes]) -> bytes:
    parts: list[bytes] = []
    length = 0
    for piece in pieces:
        parts.append(piece)
        length += len(piece)
        if length >= PIECE:
            break
    return b"".join(parts)


def _following(pieces: Iterator[str]) -> str:
    parts: list[str] = []
    length = 0
    for piece in pieces:
        parts.append(piece)
        length += len(piece)
        if length >= PIECE:
            break
    return "".join(parts)
