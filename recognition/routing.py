"""Addresses of the WebSockets."""

from django.urls import path

from recognition.consumers import UploadsConsumer
from recognition.live.consumer import LiveConsumer

websocket_urlpatterns = [
    path("ws/uploads/", UploadsConsumer.as_asgi()),
    path("ws/live/", LiveConsumer.as_asgi()),
]
