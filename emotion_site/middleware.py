"""What every request is told, and what every response carries."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urljoin

from django.conf import settings
from django.http import HttpRequest, HttpResponse

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
