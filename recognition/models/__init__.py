"""What is stored; one module for each concern."""

from recognition.models.data_exports import DataExport
from recognition.models.idempotency import IdempotencyKey
from recognition.models.live import LiveUsage
from recognition.models.model_registry import ModelChoice, ModelComparison
from recognition.models.recordings import (
    Marker,
    Recording,
    RecordingQuerySet,
    SeriesChunk,
    StretchAnswer,
)
from recognition.models.transfers import TransferPart, VideoTransfer
from recognition.models.uploads import Prediction, PredictionQuerySet, Upload, UploadQuerySet
from recognition.models.videos import Video, VideoQuerySet
from recognition.models.webhooks import Webhook, WebhookDelivery, WebhookQuerySet

__all__ = [
    "DataExport",
    "IdempotencyKey",
    "LiveUsage",
    "Marker",
    "ModelChoice",
    "ModelComparison",
    "Prediction",
    "PredictionQuerySet",
    "Recording",
    "RecordingQuerySet",
    "SeriesChunk",
    "StretchAnswer",
    "TransferPart",
    "Upload",
    "UploadQuerySet",
    "Video",
    "VideoQuerySet",
    "VideoTransfer",
    "Webhook",
    "WebhookDelivery",
    "WebhookQuerySet",
]
