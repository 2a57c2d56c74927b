"""WebSocket consumers: authenticate, limit, delegate, reply."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from accounts.sockets import (
    CHECK_SECONDS,
    NOT_SIGNED_IN,
    TOO_MANY_SOCKETS,
    accepted_user,
    address_of,
    signed_in_user,
)
from operations import metrics, open_sockets
from recognition.uploads import notifications

logger = logging.getLogger(__name__)

#: Each open page has one.
SOCKETS_PER_USER = 12


class UploadsConsumer(AsyncJsonWebsocketConsumer):
    """Tells a person's open pages which of their uploads changed."""

    group: str | None = None
    watch: asyncio.Task[None] | None = None
    place: open_sockets.Place | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Not in `disconnect`: that is not reached when the server gives up on a connection.
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.place is not None:
                await self.place.leave()

    async def connect(self) -> None:
        user = await accepted_user(self)
        if user is None:
            return
        self.place = await open_sockets.take(
            "uploads", user.pk, address_of(self.scope), of_person=SOCKETS_PER_USER
        )
        if self.place is None:
            await self.close(TOO_MANY_SOCKETS)
            return
        self.group = notifications.group_of(user.pk)
        metrics.SOCKETS.change(+1, "uploads")
        await self.channel_layer.group_add(self.group, self.channel_name)
        self.watch = asyncio.create_task(self._watch(user.pk))

    async def disconnect(self, code: int) -> None:
        if self.watch is not None:
            self.watch.cancel()
        if self.group is not None:
            metrics.SOCKETS.change(-1, "uploads")
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Pages have nothing to say here; whatever comes is dropped unread."""

    async def _watch(self, user_id: int) -> None:
        """Close once the person has signed out or was disabled."""
        try:
            while await signed_in_user(self.scope, user_id):
                await asyncio.sleep(CHECK_SECONDS)
                if self.place is not None:
                    await self.place.keep()
            await self.close(NOT_SIGNED_IN)
        except Exception:
            # A socket that is not watched must not stay open.
            logger.exception("a socket could not be checked")
            await self.close(1011)

    async def upload_changed(self, event: dict[str, Any]) -> None:
        await self.send_json({"id": event["id"], "status": event["status"]})
