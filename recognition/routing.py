"""Addresses of the WebSockets."""

from django.urls import path

from recognition.live.consumer import LiveConsumer
from recognition.uploads.consumer import UploadsConsumer

websocket_urlpatterns = [
    path("ws/uploads/", UploadsConsumer.as_asgi()),
    path("ws/live/", LiveConsumer.as_asgi()),
]
#: Those that a program opens with a token.
token_urlpatterns = [path("ws/live/", LiveConsumer.as_asgi())]
