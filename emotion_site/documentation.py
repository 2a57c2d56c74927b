"""The documentation within the site: what `make docs` built, or how to get it where it was not.

The build leaves no script or style inside its pages, so that they need no policy of their own.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.utils.http import http_date, parse_http_date_safe
from django.views.decorators.http import require_safe

#: What a build consists of; no other file is sent. Not from `mimetypes`, which knows less in older
#: versions of Python and more on some machines.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The first page, or where the documentation is if it was not built."""
    if (settings.DOCUMENTATION_ROOT / "index.html").is_file():
        return _file(request, "index.html")
    return render(request, "documentation_missing.html")


@require_safe
def file(request: HttpRequest, path: str) -> HttpResponse:
    """A page, or a file that pages fetch.

    Raises:
        Http404: if it is none of the build, wherever its path leads.
    """
    return _file(request, path)


def _file(request: HttpRequest, path: str) -> HttpResponse:
    root = Path(settings.DOCUMENTATION_ROOT).resolve()
    try:
        found = (root / path).resolve()
        kind = TYPES.get(found.suffix)
        if kind is None or not found.is_relative_to(root) or not found.is_file():
            raise Http404
        changed = int(found.stat().st_mtime)
        seen = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
        response: HttpResponse
        if seen is not None and changed <= seen:
            response = HttpResponseNotModified()
        else:
            response = HttpResponse(found.read_bytes(), content_type=kind)
    except (OSError, ValueError):  # A name that is too long, or no name at all.
        raise Http404 from None
    response.headers["Last-Modified"] = http_date(changed)
    # Asked for anew, and answered in a line if it is the same: a build replaces what is there.
    response.headers["Cache-Control"] = "no-cache"
    return response
