"""The administration: one module for each concern; importing them registers them."""

from recognition.admin import (
    comparisons,
    exports,
    live,
    models,
    people,
    predictions,
    uploads,
    webhooks,
)

__all__ = [
    "comparisons",
    "exports",
    "live",
    "models",
    "people",
    "predictions",
    "uploads",
    "webhooks",
]
