"""A block's file for whoever takes part, whole or the part that a player asks for."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from operations.private_files import CHUNK_BYTES, chunks, private_file
from studies.models import Block

#: What a file may be served as; anything else is nothing that a browser shows.
_MEDIA_TYPE = re.compile(r"(image/(png|jpeg|webp|gif|avif)|(video|audio)/[\w.+-]+)")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def serve(block: Block, asked: str) -> HttpResponseBase:
    """Answer with a block's file.

    Args:
        block: one with a file.
        asked: the header ``Range``; one range is answered, several are not.

    Raises:
        Http404: it has none, or it is not stored.
    """
    is_known = _MEDIA_TYPE.fullmatch(block.media_type)
    content_type = block.media_type if is_known else "application/octet-stream"
    if not block.file:
        raise Http404
    if settings.ACCEL_REDIRECT:
        return private_file(block.file, content_type)
    try:
        size = block.file.size
        span = _span(asked, size)
        if span is None:
            response = private_file(block.file, content_type)
            response["Content-Length"] = str(size)
        elif span[0] >= size:
            response = HttpResponse(status=416)
            response["Content-Range"] = f"bytes */{size}"
        else:
            response = _part(block.file.open("rb"), span, content_type)
            response["Content-Range"] = f"bytes {span[0]}-{span[1]}/{size}"
    except FileNotFoundError:
        raise Http404 from None
    response["Accept-Ranges"] = "bytes"
    return response


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a range; None where all is wanted."""
    found = _RANGE.fullmatch(asked.replace(" ", ""))
    if found is None or found[0] == "bytes=-":
        return None
    if not found[1]:
        return max(0, size - int(found[2][:18])), size - 1
    first = int(found[1][:18])
    last = min(int(found[2][:18]), size - 1) if found[2] else size - 1
    return (first, last) if first <= last or first >= size else None


def _part(stream: IO[Any], span: tuple[int, int], content_type: str) -> HttpResponseBase:
    first, last = span
    stream.seek(first)
    length = last - first + 1
    if length <= CHUNK_BYTES:
        with stream:
            response: HttpResponseBase = HttpResponse(
                stream.read(length), status=206, content_type=content_type
            )
    else:
        response = StreamingHttpResponse(
            _cut(stream, length), status=206, content_type=content_type
        )
    response["Content-Length"] = str(length)
    return response


async def _cut(stream: IO[Any], length: int) -> AsyncIterator[bytes]:
    pieces = chunks(stream, await sync_to_async(stream.read)(min(CHUNK_BYTES, length)))
    async for piece in pieces:
        yield piece[:length]
        length -= len(piece)
        if length <= 0:
            break
    await pieces.aclose()  # type: ignore[attr-defined]
