"""The pattern of an address: what a log may say of it."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def route_of(request: HttpRequest) -> str:
    """Such as ``uploads/<uuid:pk>/``; the address itself may have keys, names and searches."""
    if request.resolver_match is not None:
        return request.resolver_match.route.removesuffix("$") or "/"
    return "static" if request.path_info.startswith(settings.STATIC_URL) else "unknown"
