"""WebSocket consumers: authenticate, limit, delegate, reply."""

from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from recognition import notifications

#: Close code for a visitor who is not signed in (4000 to 4999 are an application's own).
NOT_SIGNED_IN = 4401


class UploadsConsumer(AsyncJsonWebsocketConsumer):
    """Tells a person's open pages which of their uploads changed."""

    group: str | None = None

    async def connect(self) -> None:
        user = self.scope["user"]
        await self.accept()
        if not user.is_authenticated:
            await self.close(NOT_SIGNED_IN)
            return
        self.group = notifications.group_of(user.pk)
        await self.channel_layer.group_add(self.group, self.channel_name)

    async def disconnect(self, code: int) -> None:
        if self.group is not None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Pages have nothing to say here; whatever comes is dropped unread."""

    async def upload_changed(self, event: dict[str, Any]) -> None:
        await self.send_json({"id": event["id"], "status": event["status"]})
