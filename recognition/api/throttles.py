"""How often the interface may be asked."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.utils.connection import ConnectionProxy
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class RequestRate(SimpleRateThrottle):
    """All requests of one person, or of one address where nobody is signed in.

    A person's tokens and pages share one count: another token does not make more of it.
    """

    scope = "requests"
    cache = ConnectionProxy(caches, "requests")  # type: ignore[assignment]

    def get_rate(self) -> str | None:
        # When the request comes, and not when this module is loaded.
        return settings.API_RATE or None

    def allow_request(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            self.rate = settings.API_ANONYMOUS_RATE or None
            self.num_requests, self.duration = self.parse_rate(self.rate)
        return super().allow_request(request, view)

    def get_cache_key(self, request: Request, view: Any) -> str:
        user = request.user
        who = f"user.{user.pk}" if user.is_authenticated else f"address.{self.get_ident(request)}"
        return self.cache_format % {"scope": self.scope, "ident": who}


class UploadRate(RequestRate):
    """Requests that create uploads; they count as requests, too."""

    scope = "uploads"

    def get_rate(self) -> str | None:
        return settings.API_UPLOAD_RATE or None
