"""What every request is told, and what every response carries."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urljoin

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from recognition.api.errors import CONTENT_TYPE, Problem

PERMISSIONS_POLICY = "camera=(self), microphone=(), geolocation=(), payment=(), usb=()"


def absolute_urls_are_ours(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Whoever makes an absolute URL gets one below SITE_URL, whatever the request says."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.build_absolute_uri = partial(_absolute_uri, request)  # type: ignore[method-assign]
        return get_response(request)

    return middleware


def _absolute_uri(request: HttpRequest, location: str | None = None) -> str:
    if location is None:
        location = request.get_full_path()
    # A path that begins with two slashes is none of another host.
    if location.startswith("//"):
        location = "/" + location.lstrip("/")
    return urljoin(settings.SITE_URL + request.path, location)


def bodies_in_utf_8(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse a body in another encoding before anything reads it.

    Django raises where a form is read, and its pages for errors read it again: each middleware on
    the way failed anew, with a traceback of its own. And some of Python's encodings are no text's
    (zlib), or take seconds for half a megabyte (punycode).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        is_other = request.encoding is not None and request.encoding.lower() != "utf-8"
        if not is_other or request.method in {"GET", "HEAD"}:
            return get_response(request)
        detail = "Send bodies in UTF-8."
        if not request.path_info.startswith("/api/"):
            return HttpResponse(detail, status=400, content_type="text/plain")
        body = Problem(400, "bad_request", detail).as_dict(request)
        return JsonResponse(body, status=400, content_type=CONTENT_TYPE)

    return middleware


def pages_where_forms_go(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Say something where a form's address is opened as a page, which Django answers with nothing.

    That happens to whoever loads again what came instead of a form's answer.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_page = request.method == "GET" and not request.path_info.startswith("/api/")
        if response.status_code == 405 and is_page:
            response.content = render_to_string("405.html", request=request)
        return response

    return middleware


def private_pages(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Pages of signed-in people stay out of every cache; only the live page may use a camera."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware
