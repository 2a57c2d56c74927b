"""A private file as a response, once the view has made sure whose it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import IO, Any
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpResponse, HttpResponseGone, StreamingHttpResponse
from django.http.response import HttpResponseBase

#: A file of up to this size (a thumbnail, most photos of a phone's screen) is one piece; of a
#: larger one no more than this is in memory.
CHUNK_BYTES = 256 * 1024


def private_file(file: FieldFile, content_type: str = "image/jpeg") -> HttpResponseBase:
    """Answer with a stored file, from whichever storage it is in.

    Behind a web server that has the files at hand (:data:`settings.ACCEL_REDIRECT`), only their
    name goes out, and the server sends them.

    Raises:
        Http404: it is not stored, though it should be.
    """
    if not file:
        return HttpResponseGone()
    if settings.ACCEL_REDIRECT:
        response: HttpResponseBase = HttpResponse(content_type=content_type)
        response["X-Accel-Redirect"] = settings.ACCEL_REDIRECT + quote(str(file.name))
    else:
        response = _content(file, content_type)
    response["Content-Disposition"] = "inline"
    return response


def _content(file: FieldFile, content_type: str) -> HttpResponseBase:
    try:
        stream = file.open("rb")
        start = stream.read(CHUNK_BYTES)
    except FileNotFoundError:
        raise Http404 from None
    if len(start) < CHUNK_BYTES:
        stream.close()
        return HttpResponse(start, content_type=content_type)
    return StreamingHttpResponse(_chunks(start, stream), content_type=content_type)


async def _chunks(start: bytes, stream: IO[Any]) -> AsyncIterator[bytes]:
    """Piece after piece, read in a thread: the event loop serves everybody."""
    chunk = start
    try:
        while chunk:
            yield chunk
            chunk = await sync_to_async(stream.read, thread_sensitive=False)(CHUNK_BYTES)
    finally:
        stream.close()
