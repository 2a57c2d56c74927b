"""How often an address may ask from which nobody is signed in."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.addresses import network_of
from emotion_site.client_headers import ASKED_DIRECTLY
from operations import rates
from recognition.api.errors import CONTENT_TYPE, Problem


def limited(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse an address that asks too often without anybody being signed in.

    What comes with a token is judged by that (`accounts.authentication`).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        is_counted = not (
            # Monitors ask from one address for the whole site, and `/metrics` has a key of its own.
            request.path_info in ASKED_DIRECTLY
            or _has_token(request)
            or request.user.is_authenticated
        )
        if is_counted:
            wait = rates.too_often("visitors", network_of(request), settings.ANONYMOUS_RATE)
            if wait is not None:
                return _refusal(request, wait)
        return get_response(request)

    return middleware


def _has_token(request: HttpRequest) -> bool:
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    return request.path_info.startswith("/api/") and scheme.lower() == "bearer"


def _refusal(request: HttpRequest, wait: int) -> HttpResponse:
    if not request.path_info.startswith("/api/"):
        page = render(request, "429.html", status=429)
        page["Retry-After"] = str(wait)
        return page
    detail = _("There were too many requests from this address. Wait, or sign in.")
    body = Problem(429, "throttled", detail).as_dict(request)
    headers = {"Retry-After": str(wait)}
    return JsonResponse(body, status=429, content_type=CONTENT_TYPE, headers=headers)
