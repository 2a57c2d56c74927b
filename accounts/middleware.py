"""Nobody's photos are worked on before they have agreed to it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts import consent
from accounts.purposes import ACCOUNT

#: Where people need no consent: their account, what is public or belongs to every page, and what
#: asks for itself (see `accounts.authentication.HasConsent`). Nor for taking their data away or
#: deleting it.
FREE = (
    "/accounts/", "/privacy/", "/admin/", "/api/", "/about/", "/language/", "/healthz",
    "/take-part/", "/docs/", "/legal/", "/manifest.webmanifest", "/service-worker.js", "/offline/",
)  # fmt: skip


def ask_for_consent(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Send whoever is signed in without consent to the page that asks for it.

    These are people an operator made or invited, and everybody once the text has changed.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if (
            not request.path_info.startswith(FREE)
            and request.user.is_authenticated
            and not consent.has(request.user, ACCOUNT)
        ):
            address = reverse("consent")
            if request.method == "GET":
                address += "?" + urlencode({"next": request.get_full_path()})
            return redirect(address)
        return get_response(request)

    return middleware
