"""Bodies of requests: how large, whose and how slow they may be, before Django sees any of them.

Daphne takes a body of any size at any URL, keeps it in a temporary file, and only then calls the
application; Twisted under it reads every form in memory, though nothing uses the result: 200 MB of
form took 2.4 GB. Neither has a setting for it. So the limits are here, where the bytes arrive:

- up to :data:`ANYBODY_BYTES` from anybody, and to :data:`SMALL_BYTES` from whoever is signed in, in
  memory;
- more only where photos are uploaded (:data:`UPLOAD_PATHS`), from whoever is signed in, up to
  ``MAXIMUM_BODY_MEGABYTES``, a few at a time; and where videos are (:data:`VIDEO_PATHS`), up to
  ``VIDEO_MAXIMUM_MEGABYTES``;
- a request whose head and body do not arrive at a pace, or in very many pieces, ends;
- whose a body is, is looked up for everybody in turn, and not for somebody who is gone;
- a body that is complete is handed on as it is read: Daphne puts all of it into a queue at once.
"""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
import time
from collections import Counter
from typing import Any

from channels.db import database_sync_to_async
from daphne import cli, http_protocol
from django.conf import settings
from twisted.web import http

from accounts import coming_back
from accounts.headers import MayNotWrite, signed_in_id
from accounts.sockets import address_of, caller_of
from emotion_site.slow_readers import PacedRequest, PacedServer
from operations import asking_again
from operations.threads_in_turn import Threads

#: Where bodies may be larger than :data:`SMALL_BYTES`; `deploy/nginx.conf.template` has the same.
UPLOAD_PATHS = ("/uploads/new/", "/api/v1/uploads/", "/studies/stimuli/")
VIDEO_PATHS = ("/videos/new/", "/api/v1/videos/")
#: What a form has beside its video.
FORM_BYTES = 64 * 1024
ANYBODY_BYTES = 64 * 1024
SMALL_BYTES = 1024 * 1024
#: Bodies of one person above `ANYBODY_BYTES` that one process takes at the same time, and as how
#: many of them a video counts.
AT_ONCE, VIDEO_WEIGHT = 8, 4
#: Pieces that a body may come in, and one more for each so many of its bytes: a piece is a step of
#: the event loop, of which a megabyte of one byte each has 170,000.
PIECES_ALWAYS, BYTES_A_PIECE = 1_000, 256
#: Bytes a second at which a request must have come that is still arriving after
#: :data:`settings.REQUEST_GRACE_SECONDS`.
SLOWEST = 4096
#: Seconds after which it ends at any pace.
LONGEST_SECONDS = 900.0
#: Bytes of a body that are handed on at once, and the key under which a scope has the file.
PIECE, FILE = 64 * 1024, "visage.body"
#: Seconds for which a connection stays open after a refusal, for the client to read it.
LINGER_SECONDS = 2.0

#: Heads of one network address that may wait to be told whose they are.
HEADS_WAITING = 100

#: Larger bodies that are arriving or being worked on, by person.
_taken: Counter[int] = Counter()
#: Heads of larger bodies that wait, by network address.
_waiting: Counter[str] = Counter()
#: Where it is looked up: pages and sockets have threads of their own.
_threads = Threads(2, "whose-body")


class BoundedRequest(PacedRequest):
    """A request that is cut off where its body becomes more than the site takes."""

    n_received = n_pieces = 0
    limit = SMALL_BYTES
    is_refused = False
    #: Whose larger body it is, once that is known.
    person: int | None = None
    gate: asyncio.Task[None] | None = None
    pace: Any = None
    #: The complete body.
    body: Any = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "parsePOSTFormSubmission": False})
        self.began = time.monotonic()
        self.pace = self.channel.callLater(settings.REQUEST_GRACE_SECONDS, self._check_pace)

    def __repr__(self) -> str:
        """Daphne writes it into the log, and the inherited one has the address."""
        return f"<{type(self).__name__} at {id(self):#x}>"

    def gotLength(self, length: int | None) -> None:
        path = self.channel._path.partition(b"?")[0].decode("latin-1")
        if self.channel._command == b"POST" and path in UPLOAD_PATHS:
            self.limit = settings.MAXIMUM_BODY_BYTES
        elif self.channel._command == b"POST" and path in VIDEO_PATHS:
            self.limit = settings.VIDEO_MAXIMUM_BYTES + FORM_BYTES
        self.upload_path = path
        # No file for a body that is small, whatever length it claims. It lives as long as the
        # request, so no `with` can close it (SIM115).
        self.content: Any = tempfile.SpooledTemporaryFile(SMALL_BYTES)  # noqa: SIM115
        if length is not None:
            self._expect(length)

    def handleContentChunk(self, data: bytes) -> None:
        # What still comes after a refusal is dropped.
        if self.is_refused:
            return
        self.n_received += len(data)
        self.n_pieces += 1
        if self.n_pieces > PIECES_ALWAYS + self.n_received // BYTES_A_PIECE:
            # What the connection ends for at once, without a look at what else has come.
            raise http._MalformedChunkedDataError("too many chunks")
        self._expect(self.n_received)
        if not self.is_refused:
            super().handleContentChunk(data)

    def process(self) -> Any:
        """The body is complete: hand it on, once it is known whose it is."""
        if self.is_refused or self.channel is None:
            return None
        self._forget_pace()
        if self.gate is not None and not self.gate.done():
            self.gate.add_done_callback(lambda _gate: self.process())
            return None
        # Daphne takes it for the site's own path, and fails where it is no ASCII.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        # Daphne fails where a socket's protocol is no ASCII; none of ours is.
        protocols = self.requestHeaders.getRawHeaders(b"sec-websocket-protocol") or []
        if not all(protocol.isascii() for protocol in protocols):
            self.requestHeaders.removeHeader(b"sec-websocket-protocol")
        if isinstance(self.server, BoundedServer):
            self.body, self.content = self.content, io.BytesIO()
            self.body.seek(0)
        result = super().process()
        if self.transport is None:
            self._let_go()  # It is a socket by now, and ends as one.
        return result

    def finish(self) -> None:
        self._let_go()
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        self._let_go()
        super().connectionLost(reason)

    def _expect(self, n_bytes: int) -> None:
        """Refuse a body of so many bytes, or see first whose it is."""
        if n_bytes > self.limit:
            size = f"{self.limit // 1024**2} MB"
            self._refuse(413, "too_large", f"A request to this URL may have {size}.")
        elif n_bytes > ANYBODY_BYTES and self.gate is None:
            self.channel._networkProducer.pauseProducing()
            self.gate = asyncio.ensure_future(self._see_whose())

    async def _see_whose(self) -> None:
        told = [self.getHeader(name) or b"" for name in (b"cookie", b"authorization")]
        if not any(told):
            self._ask_to_sign_in()
            return
        scope = {
            "client": [getattr(self.channel.transport.getPeer(), "host", "")],
            "headers": [
                (name.lower(), value)
                for name, values in self.requestHeaders.getAllRawHeaders()
                for value in values
            ],
        }
        place = address_of(scope)
        if _waiting[place] >= HEADS_WAITING:
            self._refuse(503, "busy", "Nothing was stored. Try again.", asking_again.headers(5))
            return
        _waiting[place] += 1
        try:
            threads = _threads.of(place, caller_of(scope))
            ask = database_sync_to_async(signed_in_id, thread_sensitive=False, executor=threads)
            person = await ask(*told)
        except MayNotWrite:
            if self.channel is not None and not self.is_refused:
                self._refuse(403, "token_scope", "The scope of this token does not cover this.")
            return
        except Exception:
            # Not a refusal of who sent it: a program would throw a good token away.
            http_protocol.logger.exception("nobody could say whose body this is")
            self._refuse(503, "busy", "Nothing was stored. Try again.", asking_again.headers(5))
            return
        finally:
            _waiting.subtract([place])
            if not _waiting[place]:
                del _waiting[place]
        if self.channel is None or self.is_refused:
            return
        if person is None:
            self._ask_to_sign_in()
        elif _taken[person] + self._weight > AT_ONCE:
            detail = "As many of your requests are arriving as may at once. Send fewer."
            self._refuse(429, "throttled", detail, asking_again.headers(5))
        else:
            self.person = person
            _taken[person] += self._weight
            self.channel._networkProducer.resumeProducing()

    @property
    def _weight(self) -> int:
        return VIDEO_WEIGHT if self.upload_path in VIDEO_PATHS else 1

    def _ask_to_sign_in(self) -> None:
        if self.upload_path.startswith("/api/"):
            detail = f"Whoever is not signed in may send {ANYBODY_BYTES // 1024} kB."
            self._refuse(
                401, "not_authenticated", detail, {"WWW-Authenticate": 'Bearer realm="api"'}
            )
        elif self.limit > SMALL_BYTES:
            referer, host = (self.getHeader(name) or b"" for name in (b"referer", b"host"))
            page = coming_back.page_of_form(referer.decode("latin-1"), host.decode("latin-1"))
            location = coming_back.sign_in_page(page)
            self._refuse(303, "not_authenticated", "Sign in first.", {"Location": location})
        else:
            detail = (
                f"Without a sign-in or a token that may write, a request may have "
                f"{ANYBODY_BYTES // 1024} kB."
            )
            self._refuse(413, "too_large", detail)

    def _check_pace(self) -> None:
        """End a request that comes in drops; one that comes at a pace is looked at again."""
        self.pace = None
        seconds = time.monotonic() - self.began
        if self.n_received < SLOWEST * seconds or seconds > LONGEST_SECONDS:
            self._refuse(408, "too_slow", "The request did not arrive in time.")
        else:
            again = settings.REQUEST_GRACE_SECONDS / 4
            self.pace = self.channel.callLater(again, self._check_pace)

    def _refuse(
        self, status: int, code: str, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        """Answer at once, and take nothing more."""
        if self.is_refused or self.channel is None:
            return
        self.is_refused = True
        self._forget_pace()
        title = {
            303: "See Other", 401: "Unauthorized", 403: "Forbidden", 408: "Request Timeout",
            413: "Content Too Large", 429: "Too Many Requests", 503: "Service Unavailable",
        }[status]  # fmt: skip
        body = json.dumps(
            {"type": "about:blank", "title": title, "status": status, "code": code,
             "detail": detail}
        ).encode()  # fmt: skip
        lines = {
            "Content-Type": "application/problem+json",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Connection": "close",
            **(headers or {}),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        transport = self.channel.transport
        transport.write(f"HTTP/1.1 {status} {title}\r\n{head}\r\n".encode() + body)
        # Closed at once, the connection would be reset by what is still on its way, and the
        # client might lose the answer.
        transport.loseWriteConnection()
        self.channel._networkProducer.pauseProducing()
        self.channel.callLater(LINGER_SECONDS, transport.abortConnection)
        self.content = io.BytesIO()

    def _forget_pace(self) -> None:
        if self.pace is not None:
            self.pace.cancel()
            self.pace = None

    def _let_go(self) -> None:
        self._forget_pace()
        if self.gate is not None:
            self.gate.cancel()  # Of who is gone it need not be known.
        if self.person is not None:
            _taken[self.person] -= self._weight
            if not _taken[self.person]:
                del _taken[self.person]
            self.person = None
        if self.body is not None:
            self.body.close()


class BoundedServer(PacedServer):
    """Tells the application where the body is."""

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if isinstance(protocol, BoundedRequest):
            scope[FILE] = protocol.body
        return super().create_application(protocol, scope)


class BodiesInPieces:
    """An ASGI application whose bodies come from their files, a piece after the other."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = scope.pop(FILE, None)
        await self._application(
            scope, _reader(body, receive) if body is not None else receive, send
        )


def _reader(body: Any, receive: Any) -> Any:
    is_begun = is_over = False

    async def read() -> Any:
        nonlocal is_begun, is_over
        if not is_begun:
            is_begun, message = True, await receive()
            if message["type"] == "http.disconnect":
                is_over = True
                return message
            # What Daphne read of the body is nothing.
        if is_over:
            return await receive()
        # Others have their turn of the event loop between two pieces.
        await asyncio.sleep(0)
        if body.closed:
            is_over = True
            return {"type": "http.disconnect"}
        piece = body.read(PIECE)
        is_over = len(piece) < PIECE
        if is_over:
            body.close()  # The application has a copy.
        return {"type": "http.request", "body": piece, "more_body": not is_over}

    return read


def install() -> None:
    """Make Daphne use it."""
    http_protocol.WebRequest = BoundedRequest
    cli.CommandLineInterface.server_class = BoundedServer
