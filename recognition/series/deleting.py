"""Recordings go for good, with series and markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts import audit
from operations.row_locks import lock_to_delete
from recognition.models import Recording, Video

if TYPE_CHECKING:
    from accounts.models import User


def delete(recording: Recording, actor: User) -> None:
    """Delete a recording with all that belongs to it, and write that down."""
    with transaction.atomic():
        assert recording.owner is not None, "a participant's goes with the participant"
        audit.record("recording_deleted", recording.owner, actor, f"recording:{recording.pk}")
        # First, as a worker does that saves what it saw in a video.
        lock_to_delete(Video.objects.filter(recording=recording))
        lock_to_delete(Recording.objects.filter(pk=recording.pk))
        recording.delete()
