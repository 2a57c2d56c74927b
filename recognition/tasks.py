"""Every task of recognition, for Celery, which looks for them here."""

from recognition.api.tasks import sweep_api
from recognition.model_registry.tasks import compare_models, sweep_comparisons
from recognition.personal_data.tasks import (
    build_export,
    delete_account,
    sweep_closed_accounts,
    sweep_exports,
)
from recognition.uploads.tasks import (
    explain_face,
    process_upload,
    sweep_photos,
    sweep_trash,
    sweep_uploads,
)
from recognition.videos.tasks import process_video, sweep_videos
from recognition.webhooks.tasks import deliver_webhooks

__all__ = [
    "build_export",
    "compare_models",
    "delete_account",
    "deliver_webhooks",
    "explain_face",
    "process_upload",
    "process_video",
    "sweep_api",
    "sweep_closed_accounts",
    "sweep_comparisons",
    "sweep_exports",
    "sweep_photos",
    "sweep_trash",
    "sweep_uploads",
    "sweep_videos",
]
