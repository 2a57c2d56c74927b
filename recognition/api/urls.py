"""Addresses of the API."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from recognition.api.views import documents, person
from recognition.api.views.live import LiveSessionViewSet
from recognition.api.views.predictions import PredictionViewSet
from recognition.api.views.recordings import RecordingViewSet
from recognition.api.views.transfers import VideoTransferViewSet
from recognition.api.views.uploads import UploadViewSet
from recognition.api.views.videos import VideoViewSet
from recognition.api.views.webhooks import WebhookViewSet

router = SimpleRouter(use_regex_path=False)
router.register("uploads", UploadViewSet, basename="api-upload")
router.register("predictions", PredictionViewSet, basename="api-prediction")
router.register("recordings", RecordingViewSet, basename="api-recording")
router.register("live-sessions", LiveSessionViewSet, basename="api-live-session")
router.register("video-transfers", VideoTransferViewSet, basename="api-video-transfer")
router.register("videos", VideoViewSet, basename="api-video")
router.register("webhooks", WebhookViewSet, basename="api-webhook")

urlpatterns = [
    *router.urls,
    path("statistics/", person.StatisticsView.as_view(), name="api-statistics"),
    path("me/", person.MeView.as_view(), name="api-me"),
    path("schema/", documents.SchemaView.as_view(), name="api-schema"),
    path("docs/", documents.DocsView.as_view(), name="api-docs"),
    path("errors/", documents.errors, name="api-errors"),
    re_path("", documents.unknown, name="api-unknown"),
]
