"""How often an address may ask from which nobody is signed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from rest_framework.views import APIView

from accounts.addresses import network_of
from accounts.sockets import address_of
from emotion_site.client_headers import ASKED_DIRECTLY
from operations import asking_again, rates
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


class LimitedSockets:
    """Counts handshakes of whoever is not signed in together with their requests."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if not scope["user"].is_authenticated:
            # In any thread: it may wait for Redis, and the database has few.
            count = sync_to_async(rates.too_often, thread_sensitive=False)
            if await count("visitors", address_of(scope), settings.ANONYMOUS_RATE) is not None:
                return await WebsocketDenier()(scope, receive, send)
        return await self._application(scope, receive, send)


def _has_token(request: HttpRequest) -> bool:
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    if scheme.lower() != "bearer":
        return False
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return False
    # Other pages, and those that say that there is nothing, do not look at tokens.
    return hasattr(view, "cls") and issubclass(view.cls, APIView)


def _refusal(request: HttpRequest, wait: int) -> HttpResponse:
    if not request.path_info.startswith("/api/"):
        return asking_again.page(request, wait)
    detail = _("There were too many requests from this address. Wait, or sign in.")
    body = Problem(429, "throttled", detail).as_dict(request)
    headers = asking_again.headers(wait)
    return JsonResponse(body, status=429, content_type=CONTENT_TYPE, headers=headers)
