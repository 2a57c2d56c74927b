"""Who is at the other end of an open socket, and for how long they may be."""

from __future__ import annotations

import hashlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from asgiref.sync import sync_to_async
from channels.auth import get_user
from channels.db import database_sync_to_async
from django.conf import settings

from accounts import tokens
from accounts.addresses import network
from accounts.models import ApiToken
from operations import rates

if TYPE_CHECKING:
    from channels.generic.websocket import AsyncWebsocketConsumer

    from accounts.models import User

#: Close code for a visitor who is not, or no longer, signed in (4000 to 4999 are an
#: application's own).
NOT_SIGNED_IN = 4401
#: Close code for a token that is valid, but for something else.
WRONG_SCOPE = 4405
#: Close code where too many sockets are open already, for this person or from this address, or
#: where the address has sent too many wrong tokens.
TOO_MANY_SOCKETS = 4429
#: What the site answers to a client that offers it, and what a token is offered behind. A browser
#: has no other header to send one in, and takes no answer that it has not offered.
SUBPROTOCOL, TOKEN_SUBPROTOCOL = "visage", "visage.token."
#: Seconds between two looks whether the person is still signed in.
CHECK_SECONDS = 3.0


def token_in(scope: dict[str, Any]) -> str | None:
    """The key that a socket is opened with; None where there is none, as from a page."""
    authorization = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    scheme, _, key = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    for offered in scope.get("subprotocols", []):
        if offered.startswith(TOKEN_SUBPROTOCOL):
            return str(offered.removeprefix(TOKEN_SUBPROTOCOL))
    return None


async def accepted_user(consumer: AsyncWebsocketConsumer) -> User | None:
    """Accept a connection; None where nobody is signed in, and then it is closed again.

    A refusal would not tell the client why: only an accepted connection has a close code.
    """
    offered = consumer.scope.get("subprotocols", [])
    await consumer.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    if "token" in consumer.scope:
        let_in = await database_sync_to_async(_user_or_code)(consumer.scope["token"])
        if let_in is None:
            # In any thread: it may wait for Redis, and the database has few.
            count = sync_to_async(_count_refused, thread_sensitive=False)
            let_in = await count(address_of(consumer.scope))
        if not isinstance(let_in, int):
            return let_in
        await consumer.close(let_in)
        return None
    user = consumer.scope["user"]
    if user.is_authenticated:
        return cast("User", user)
    await consumer.close(NOT_SIGNED_IN)
    return None


def address_of(scope: dict[str, Any]) -> str:
    """The network address at the other end, as the proxy in front tells it where there is one."""
    if settings.BEHIND_PROXY:
        forwarded = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
        return network(forwarded.rpartition(",")[2].strip())
    return network(str((scope.get("client") or [""])[0]))


def caller_of(scope: dict[str, Any]) -> str:
    """Something that is the same for requests and sockets of one browser or program."""
    told = [value for name, value in scope["headers"] if name in {b"authorization", b"cookie"}]
    told = told or [name.encode() for name in scope.get("subprotocols", [])]  # With the token.
    return hashlib.sha256(b"\n".join(told)).hexdigest()


async def signed_in_user(scope: dict[str, Any], user_id: int | None) -> User | None:
    """The person whose session or token a socket was opened with, read anew.

    None once they signed out, changed their password elsewhere, or were disabled, or once the
    token was deleted or has expired.
    """
    if "token" in scope:
        return await database_sync_to_async(_still_there)(scope["token"], user_id)
    session_store = import_module(settings.SESSION_ENGINE).SessionStore
    # A store of its own: the one in the scope remembers what it once read.
    session = session_store(scope["session"].session_key)
    user = await get_user({"session": session})
    return user if user_id is not None and user.pk == user_id else None


def _count_refused(address: str) -> int:
    """Count a wrong token, which is a request of somebody unknown, too; returns a close code."""
    waits = (
        tokens.wrong_too_often(address),
        rates.too_often("visitors", address, settings.ANONYMOUS_RATE),
    )
    return NOT_SIGNED_IN if waits == (None, None) else TOO_MANY_SOCKETS


def _user_or_code(key: str) -> User | int | None:
    """Whose token a program opens a socket with; a close code, or None for a wrong token."""
    try:
        token = tokens.valid(key)
    except tokens.TokenRefused:
        return None
    if token.scope != ApiToken.Scope.LIVE:
        return WRONG_SCOPE
    tokens.note_use(token)
    return token.user


def _still_there(key: str, user_id: int | None) -> User | None:
    try:
        token = tokens.valid(key)
    except tokens.TokenRefused:
        return None
    if token.user_id != user_id or token.scope != ApiToken.Scope.LIVE:
        return None
    tokens.note_use(token)
    return token.user
