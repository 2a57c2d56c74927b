"""How often one person may send forms, and what a page says where something came too often."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from operations import asking_again
from recognition.refusals import TooOften, check_rate

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}


class FormRates:
    """Counts the forms of whoever is signed in; the API counts its requests by itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        """Count a form whose token was right: another site must not use up anybody's rate."""
        is_counted = (
            request.method not in SAFE_METHODS
            and not request.path_info.startswith("/api/")
            and request.user.is_authenticated
        )
        if is_counted:
            try:
                check_rate("forms", request.user.pk, settings.FORM_RATE)
            except TooOften as error:
                return _page(request, error)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What a page does not say itself beside its form."""
        return _page(request, error) if isinstance(error, TooOften) else None


def _page(request: HttpRequest, error: TooOften) -> HttpResponse:
    return asking_again.page(request, error.retry_after or 0, str(error))
