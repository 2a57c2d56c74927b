"""WebSocket consumers: authenticate, limit, delegate, reply."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from accounts.sockets import CHECK_SECONDS, NOT_SIGNED_IN, accepted_user, signed_in_user
from operations import metrics
from recognition.uploads import notifications

logger = logging.getLogger(__name__)


class UploadsConsumer(AsyncJsonWebsocketConsumer):
    """Tells a person's open pages which of their uploads changed."""

    group: str | None = None
    watch: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        user = await accepted_user(self)
        if user is None:
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
            await self.close(NOT_SIGNED_IN)
        except Exception:
            # A socket that is not watched must not stay open.
            logger.exception("a socket could not be checked")
            await self.close(1011)

    async def upload_changed(self, event: dict[str, Any]) -> None:
        await self.send_json({"id": event["id"], "status": event["status"]})
