"""What recognition adds to a person's account: purposes to agree to, and events in their list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts import audit, purposes

if TYPE_CHECKING:
    from accounts.models import User

CAMERA = "camera"
TRAINING = "training"

#: Further files of an export of everything, as name and text in pieces, by whatever keeps more of a
#: person; added when the site starts. They are told when the export was asked for: who came later
#: is not in it.
ALSO_EXPORTED: list[Callable[[User, datetime], Iterator[tuple[str, Iterable[str]]]]] = []


def register() -> None:
    """To be called once, when the site starts."""
    # The text is in templates/accounts/_consent_text.html. It says where photos are: whoever moves
    # them elsewhere asks everybody again.
    version = "2026-11-30, S3" if settings.S3_BUCKET else "2026-11-30"
    purposes.register(purposes.ACCOUNT, _("Processing of photos"), version=version)
    # The text is in templates/recognition/live.html.
    purposes.register(CAMERA, _("Use of the camera"), version="2026-11-30")
    purposes.register(TRAINING, _("Use of corrections for training"), version="2026-11")
    audit.register(
        {
            "upload_created": _("A photo was uploaded"),
            "upload_trashed": _("A photo was moved to the trash"),
            "upload_restored": _("A photo was restored from the trash"),
            "upload_deleted": _("A photo was deleted"),
            "correction_made": _("A label was corrected"),
            "face_drawn": _("A face was drawn"),
            "photo_viewed_by_staff": _("A photo was opened by staff"),
            "recording_created": _("A recording was started"),
            "video_created": _("A video was uploaded"),
            "video_cancelled": _("Reading a video was cancelled"),
            "video_deleted": _("A video was deleted, its results kept"),
            "recording_downloaded": _("A recording was downloaded"),
            "recording_deleted": _("A recording was deleted"),
            "results_downloaded": _("Results of photos were downloaded"),
            "retention_changed": _("The time that photos and videos are kept was changed"),
            "data_exported": _("Data was exported"),
            "webhook_added": _("A webhook was added"),
            "webhook_deleted": _("A webhook was deleted"),
            "webhook_turned_off_by_staff": _("A webhook was turned off by staff"),
        },
        mailed={"webhook_added", "webhook_deleted", "webhook_turned_off_by_staff"},
        shown={"upload": "recognition.Upload", "recording": "recognition.Recording"},
    )
