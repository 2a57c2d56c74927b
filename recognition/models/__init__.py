"""What is stored; one module for each concern."""

from recognition.models.api import IdempotencyKey, Webhook, WebhookDelivery, WebhookQuerySet
from recognition.models.exports import DataExport
from recognition.models.live import LiveSession, LiveSessionQuerySet, LiveUsage
from recognition.models.operations import ModelChoice, ModelComparison
from recognition.models.uploads import Prediction, PredictionQuerySet, Upload, UploadQuerySet

__all__ = [
    "DataExport",
    "IdempotencyKey",
    "LiveSession",
    "LiveSessionQuerySet",
    "LiveUsage",
    "ModelChoice",
    "ModelComparison",
    "Prediction",
    "PredictionQuerySet",
    "Upload",
    "UploadQuerySet",
    "Webhook",
    "WebhookDelivery",
    "WebhookQuerySet",
]
