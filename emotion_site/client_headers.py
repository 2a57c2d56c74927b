"""What a client may say about where the site is: nothing.

Servers and frameworks read many headers as the site's own path, host, port or scheme; whoever
sends one could have links written that lead elsewhere, such as in the mail that resets somebody's
password. So they are removed before anything reads them, and the Host must be the site's own.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

#: Headers with which proxies tell an application about its own address, and about the visitor's.
REMOVED = frozenset(
    {
        b"daphne-root-path", b"forwarded", b"x-script-name", b"script-name", b"x-url-scheme",
        b"x-scheme", b"x-host", b"x-http-host-override", b"x-proxyuser-ip", b"x-real-ip",
        b"x-client-ip", b"x-cluster-client-ip", b"true-client-ip", b"client-ip",
        b"cf-connecting-ip", b"fastly-client-ip", b"front-end-https", b"base-url", b"x-base-url",
        b"x-http-method-override", b"x-method-override", b"x-http-method",
    }
)  # fmt: skip
REMOVED_PREFIXES = (b"x-forwarded", b"x-original", b"x-rewrite", b"x-envoy-original")
#: The two that the site reads where one proxy stands in front, which writes them itself.
FROM_OUR_PROXY = frozenset({b"x-forwarded-for", b"x-forwarded-proto"})
#: They write no address, and are asked for by whoever reaches a process directly.
ASKED_DIRECTLY = frozenset({"/healthz", "/healthz/live", "/metrics"})

DEFAULT_PORTS = {"http": 80, "https": 443}


class TrustedScope:
    """An ASGI application behind which no request claims another address than the site's."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] in {"http", "websocket"}:
            if not is_own_host(scope):
                await _refuse(scope, receive, send, "not reached under that host name and port")
                return
            # Django reads `head` as HEAD, which writes nothing down; the server sends it all.
            if scope["type"] == "http" and scope["method"] != scope["method"].upper():
                await _refuse(scope, receive, send, "not asked by methods in small letters")
                return
            headers = [(name, value) for name, value in scope["headers"] if is_kept(name)]
            scope = {**scope, "root_path": "", "headers": headers}
        await self._application(scope, receive, send)


def is_kept(name: bytes) -> bool:
    """Whether the application sees a header."""
    name = name.lower()
    if settings.BEHIND_PROXY and name in FROM_OUR_PROXY:
        return True
    return name not in REMOVED and not name.startswith(REMOVED_PREFIXES)


def is_own_host(scope: dict[str, Any]) -> bool:
    """Whether the Host header names one of the site's hosts, and a port that it is reached by."""
    values = [value for name, value in scope["headers"] if name.lower() == b"host"]
    if len(values) != 1:
        return False
    host, port = split_domain_port(values[0].decode("latin-1"))
    if not host or not validate_host(host, settings.ALLOWED_HOSTS):
        return False
    return scope["path"] in ASKED_DIRECTLY or port in _ports(scope)


def _ports(scope: dict[str, Any]) -> set[str]:
    """The ports that may stand in the Host header; an empty one is the scheme's own."""
    site = urlsplit(settings.SITE_URL)
    default = DEFAULT_PORTS[site.scheme]
    ports = {str(site.port or default)}
    if site.port in {None, default}:
        ports.add("")
    if settings.DEBUG and scope.get("server"):
        # On one's own machine each web process is reached directly.
        ports.add(str(scope["server"][1]))
    return ports


async def _refuse(scope: dict[str, Any], receive: Any, send: Any, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
        return
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": f"This site is {why}.\n".encode()})
