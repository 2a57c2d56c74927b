"""Addresses of the WebSockets."""

from django.urls import path

from recognition.consumers import UploadsConsumer

websocket_urlpatterns = [
    path("ws/uploads/", UploadsConsumer.as_asgi()),
]
