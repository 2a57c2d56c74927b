"""What a page says where the mail that it is to send is not taken."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from operations.mails import NotSent

logger = logging.getLogger(__name__)


class UnsentMails:
    """Answers in place of a page whose mail was not taken, instead of a failure of the site's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, NotSent):
            return None
        logger.error("what a page sends %s", error)
        signed_up = getattr(request.resolver_match, "view_name", "") == "account_signup"
        # Whoever has to confirm their address gets a mail at the next sign-in.
        is_asked_again = signed_up and settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory"
        return render(request, "unsent_mail.html", {"is_asked_again": is_asked_again}, status=503)
