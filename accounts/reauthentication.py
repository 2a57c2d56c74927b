"""What is kept of a form that needs the password once more: little, and nobody's nothing.

allauth keeps such a request in the session, to go on with it afterwards, whoever sends it and
however much that is.
"""

from __future__ import annotations

from collections.abc import Callable

from allauth.core.exceptions import ReauthenticationRequired
from allauth.core.internal.httpkit import serialize_request
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

#: Characters of a request that is kept, with its headers; a form has a few hundred.
MOST = 16 * 1024


class Reauthentication:
    """Answers in allauth's place where a request is not to be kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, ReauthenticationRequired):
            return None
        address = request.get_full_path()
        if request.user.is_anonymous:
            return redirect_to_login(address)
        if len(serialize_request(request)) > MOST:
            return redirect_to_login(address, reverse("account_reauthenticate"))
        return None
