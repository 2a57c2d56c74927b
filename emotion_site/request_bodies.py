"""Bodies of requests: how large they may be, and that nobody reads them before Django does.

Daphne takes a body of any size before it calls the application, and Twisted under it reads every
form in memory, though nothing uses the result: 200 MB of form took 2.4 GB. Neither has a setting
for it.
"""

from __future__ import annotations

import json
from typing import Any

from daphne import http_protocol
from django.conf import settings


class BoundedRequest(http_protocol.WebRequest):
    """A request that is cut off where its body becomes larger than the site takes."""

    n_received = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "parsePOSTFormSubmission": False})

    def process(self) -> Any:
        # Daphne takes it for the site's own path, and fails where it is no ASCII.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        return super().process()

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        if length is not None and length > settings.MAXIMUM_BODY_BYTES:
            self._cut_off()

    def handleContentChunk(self, data: bytes) -> None:
        # What still comes after the refusal is dropped.
        if self.n_received > settings.MAXIMUM_BODY_BYTES:
            return
        self.n_received += len(data)
        if self.n_received > settings.MAXIMUM_BODY_BYTES:
            self._cut_off()
        else:
            super().handleContentChunk(data)

    def _cut_off(self) -> None:
        self.n_received = settings.MAXIMUM_BODY_BYTES + 1
        megabytes = settings.MAXIMUM_BODY_BYTES // (1024 * 1024)
        body = json.dumps(
            {
                "type": "about:blank",
                "title": "Content Too Large",
                "status": 413,
                "code": "too_large",
                "detail": f"A request may have {megabytes} MB.",
            }
        ).encode()
        self.channel.transport.write(
            b"HTTP/1.1 413 Content Too Large\r\n"
            b"Content-Type: application/problem+json\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)
        )
        self.channel.loseConnection()


def install() -> None:
    """Make Daphne use it."""
    http_protocol.WebRequest = BoundedRequest
