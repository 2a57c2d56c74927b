"""The participant's WebSocket."""

from django.urls import path

from studies.taking_part.consumer import StudyConsumer

websocket_urlpatterns = [path("ws/study/", StudyConsumer.as_asgi())]
