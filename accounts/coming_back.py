"""Where somebody goes on who had to sign in before a form of theirs was taken."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme


def to_the_form(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Have whoever signs in for a form led to the page that it was on.

    Views lead to what was asked for, which for most forms is no page.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "POST" and _asks_to_sign_in(request, response):
            page = page_of_form(request.headers.get("Referer", ""), request.get_host())
            response.headers["Location"] = sign_in_page(page)
        return response

    return middleware


def page_of_form(referer: str, host: str) -> str:
    """The path, with its query, of the page that a form was on; "/" where it is none of ours.

    Args:
        referer: the header of that name.
        host: the host that was asked.
    """
    if not referer or not url_has_allowed_host_and_scheme(referer, {host}):
        return "/"
    page = urlsplit(referer)
    return f"{page.path or '/'}?{page.query}" if page.query else page.path or "/"


def sign_in_page(page: str) -> str:
    """The path of the page where people sign in who then go on to another."""
    return f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': page})}"


def _asks_to_sign_in(request: HttpRequest, response: HttpResponse) -> bool:
    if response.status_code != 302:
        return False
    target = urlsplit(response.headers["Location"])
    asked = parse_qs(target.query).get("next") == [request.get_full_path()]
    return asked and target.path == resolve_url(settings.LOGIN_URL)
