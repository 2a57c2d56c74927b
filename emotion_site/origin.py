"""A WebSocket is opened by a page of this very site, or by a program that has a token."""

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import validate_host

from accounts.sockets import token_in


class PagesAndPrograms:
    """Sockets that come with a token go one way, all others the other.

    No browser adds a token by itself, as it does a cookie: whoever sends one has it, from whatever
    page, so its Origin tells nothing. That holds only while the cookie beside it opens nothing,
    and so it is taken away.
    """

    def __init__(self, pages: Any, programs: Any) -> None:
        self._pages = pages
        self._programs = programs

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        key = token_in(scope)
        if key is None:
            return await self._pages(scope, receive, send)
        headers = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
        scope = {**scope, "headers": headers, "token": key}
        return await self._programs(scope, receive, send)


class SameOriginValidator:
    """Refuse sockets whose Origin is not the host they were opened on.

    Browsers send cookies along with any site's WebSocket request and no CSRF token, so the Origin
    header is the only thing that tells a page of ours from a stranger's. Unlike Channels'
    ``AllowedHostsOriginValidator`` this compares the port as well, and a request without an
    Origin is refused.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        host = headers.get(b"host", b"").decode("latin-1")
        if _same_origin(origin, host):
            return await self._application(scope, receive, send)
        return await WebsocketDenier()(scope, receive, send)


def _same_origin(origin: str, host: str) -> bool:
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
        hostname = parts.hostname or ""
        if ":" in hostname:
            hostname = f"[{hostname}]"
        allowed = validate_host(hostname, settings.ALLOWED_HOSTS)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc == host and allowed


async def nothing_here(scope: dict[str, Any], receive: Any, send: Any) -> Any:
    """Refuse a WebSocket at a path that has none."""
    return await WebsocketDenier()(scope, receive, send)
