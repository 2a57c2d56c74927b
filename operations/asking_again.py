"""What somebody is told who came too often or too early: after how many seconds to ask again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def headers(seconds: int) -> dict[str, str]:
    """The header that says it to programs."""
    return {"Retry-After": str(seconds)}


def page(request: HttpRequest, seconds: int, sentence: str = "") -> HttpResponse:
    """The page that says it to people.

    Args:
        request: what is refused.
        seconds: until it may succeed.
        sentence: why, in the reader's language; by default to wait a few minutes.
    """
    answer = render(request, "429.html", {"sentence": sentence}, status=429)
    for name, value in headers(seconds).items():
        answer[name] = value
    return answer
