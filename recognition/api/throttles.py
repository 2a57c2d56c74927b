"""How often the API may be asked, in all web processes together."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.addresses import network_of
from operations import rates


class RequestRate(BaseThrottle):
    """All requests of one person, or of one address where nobody is signed in.

    A person's tokens and pages share one count: another token does not make more of it.
    """

    scope = "requests"
    seconds: int | None = None

    def rate(self) -> str:
        return str(settings.API_RATE)

    def allow_request(self, request: Request, view: Any) -> bool:
        user = request.user
        if user.is_authenticated:
            who, rate = f"user {user.pk}", self.rate()
        else:
            who, rate = network_of(request._request), str(settings.API_ANONYMOUS_RATE)
        self.seconds = rates.too_often(f"API {self.scope}", who, rate)
        return self.seconds is None

    def wait(self) -> float | None:
        # Whoever tells it rounds up.
        return None if self.seconds is None else self.seconds - 1


class UploadRate(RequestRate):
    """Requests that create uploads; they count as requests, too."""

    scope = "uploads"

    def rate(self) -> str:
        return str(settings.API_UPLOAD_RATE)
