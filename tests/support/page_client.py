"""The live socket as the live page opens it."""

from __future__ import annotations

from collections.abc import Mapping

from clients.live_client import LiveClient


class PageClient(LiveClient):
    """With the cookie of somebody who is signed in, and from an origin."""

    def __init__(self, site: str, cookie: str, *, origin: str | None = None) -> None:
        """Nothing is opened yet.

        Args:
            site: such as ``http://localhost:8000``.
            cookie: the header of that name; empty for none.
            origin: by default the site itself.
        """
        super().__init__(site, "")
        self._page_headers = {"Origin": site if origin is None else origin}
        if cookie:
            self._page_headers["Cookie"] = cookie

    def headers(self) -> Mapping[str, str]:
        return self._page_headers
