"""A part of a stored file as a response: what players of videos ask for."""

from __future__ import annotations

import re
from typing import IO, Any

from django.core.files.base import File
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

#: The most that one answer has, in bytes. Players ask for what follows; so a player that is paused
#: holds neither a thread nor a file, and whoever reads slowly reads little.
PART_BYTES = 2 * 1024 * 1024

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def asked_range(request: HttpRequest, size: int) -> tuple[int, int] | None:
    """The bytes that a request asks for, without the one after the last.

    Args:
        request: with `Range`, or without.
        size: of the file in bytes.

    Returns:
        None where it asks for the whole, or for what need not be understood: several ranges,
        other units, or a version of the file that is not told here.

    Raises:
        RangeNotSatisfiable: there are no such bytes.
    """
    header = request.headers.get("Range", "")
    found = _RANGE.fullmatch(header.strip())
    if found is None or "If-Range" in request.headers:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    begin = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < begin:
        return None  # No range at all, says the standard.
    if begin >= end:
        raise RangeNotSatisfiable
    return begin, end


class RangeNotSatisfiable(Exception):
    """The file is shorter."""


def part_of(file: File, size: int, span: tuple[int, int], content_type: str) -> HttpResponseBase:
    """Answer with a part of a file, which may end before what was asked for does.

    Args:
        file: open; read and closed here.
        size: of all of it in bytes.
        span: as :func:`asked_range` gives it.
        content_type: of the whole.
    """
    begin, end = span[0], min(span[1], span[0] + PART_BYTES)
    with file:
        stream: IO[Any] = file.file  # type: ignore[assignment]  # (django-stubs has less)
        stream.seek(begin)
        data = stream.read(end - begin)
    response = HttpResponse(data, status=206, content_type=content_type)
    response["Content-Range"] = f"bytes {begin}-{begin + len(data) - 1}/{size}"
    return response


def not_satisfiable(size: int) -> HttpResponse:
    """What to say where the file has no such bytes."""
    response = HttpResponse(status=416)
    response["Content-Range"] = f"bytes */{size}"
    return response
