"""Each request as a line of the log and a measured time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from operations import metrics
from operations.routes import route_of

logger = logging.getLogger(__name__)

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def seen(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Tell the route and never the address, in which there may be keys, names and searches."""

    def middleware(request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        response = get_response(request)
        seconds = time.perf_counter() - start
        method = request.method if request.method in _METHODS else "other"
        route = route_of(request)
        metrics.HTTP_REQUESTS.observe(seconds, method, route, str(response.status_code))
        if route != "static":
            logger.info(
                "%s %s %d",
                method,
                route,
                response.status_code,
                extra={
                    "method": method,
                    "route": route,
                    "status": response.status_code,
                    "milliseconds": round(seconds * 1000, 1),
                },
            )
        return response

    return middleware
