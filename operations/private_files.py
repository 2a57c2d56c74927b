"""A private file as a response, once the view has made sure whose it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import IO, Any
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseGone, StreamingHttpResponse
from django.http.response import HttpResponseBase

from operations.ranges import RangeNotSatisfiable, asked_range, not_satisfiable, part_of

#: A file of up to this size (a thumbnail, most photos of a phone's screen) is one piece; of a
#: larger one no more than this is in memory.
CHUNK_BYTES = 256 * 1024


def private_file(
    file: FieldFile, content_type: str = "image/jpeg", request: HttpRequest | None = None
) -> HttpResponseBase:
    """Answer with a stored file, from whichever storage it is in; 410 where it was deleted.

    Behind a web server that has the files at hand (:data:`settings.ACCEL_REDIRECT`), only their
    name goes out, and the server sends them, or answers 404.

    Args:
        file: of a row.
        content_type: what it is served as, whatever it is.
        request: where parts of the file may be asked for; without it, it is sent whole.

    Raises:
        Http404: it is not stored, though it should be.
    """
    if not file:
        return HttpResponseGone()
    if settings.ACCEL_REDIRECT:
        response: HttpResponseBase = HttpResponse(content_type=content_type)
        response["X-Accel-Redirect"] = settings.ACCEL_REDIRECT + quote(str(file.name))
    else:
        response = _content(file, content_type, request)
    if request is not None:
        response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = "inline"
    return response


def _content(file: FieldFile, content_type: str, request: HttpRequest | None) -> HttpResponseBase:
    try:
        stream = file.open("rb")
        if request is not None:
            size = file.size
            try:
                span = asked_range(request, size)
            except RangeNotSatisfiable:
                stream.close()
                return not_satisfiable(size)
            if span is not None:
                return part_of(stream, size, span, content_type)
        start = stream.read(CHUNK_BYTES)
    except FileNotFoundError:
        raise Http404 from None
    if len(start) < CHUNK_BYTES:
        stream.close()
        return HttpResponse(start, content_type=content_type)
    return StreamingHttpResponse(chunks(stream, start), content_type=content_type)


async def chunks(stream: IO[Any], start: bytes = b"") -> AsyncIterator[bytes]:
    """What was read already, then piece after piece, and closed at the end.

    Not a plain iterator: the server would read all of that before it sends the first byte. Read in
    a thread, for the event loop serves everybody.
    """
    read = sync_to_async(stream.read, thread_sensitive=False)
    try:
        chunk = start or await read(CHUNK_BYTES)
        while chunk:
            yield chunk
            chunk = await read(CHUNK_BYTES)
    finally:
        stream.close()
