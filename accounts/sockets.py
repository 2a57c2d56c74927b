"""Who is at the other end of an open socket, and for how long they may be."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from channels.auth import get_user
from django.conf import settings

from accounts.addresses import network

if TYPE_CHECKING:
    from channels.generic.websocket import AsyncWebsocketConsumer

    from accounts.models import User

#: Close code for a visitor who is not, or no longer, signed in (4000 to 4999 are an
#: application's own).
NOT_SIGNED_IN = 4401
#: Close code where too many sockets are open already, for this person or from this address.
TOO_MANY_SOCKETS = 4429
#: Seconds between two looks whether the person is still signed in.
CHECK_SECONDS = 3.0


async def accepted_user(consumer: AsyncWebsocketConsumer) -> User | None:
    """Accept a connection; None where nobody is signed in, and then it is closed again.

    A refusal would not tell the page why: only an accepted connection has a close code.
    """
    await consumer.accept()
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


async def signed_in_user(scope: dict[str, Any], user_id: int | None) -> User | None:
    """The person whose session a socket was opened with, read anew.

    None once they signed out, changed their password elsewhere, or were disabled.
    """
    session_store = import_module(settings.SESSION_ENGINE).SessionStore
    # A store of its own: the one in the scope remembers what it once read.
    session = session_store(scope["session"].session_key)
    user = await get_user({"session": session})
    return user if user_id is not None and user.pk == user_id else None
