"""Moments in a recording that people name, while it runs or later."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from recognition.models import Marker, Recording
from recognition.refusals import Refusal

MAXIMUM_MARKERS = 1000
NAME_LENGTH = 80
#: What one counts in its owner's storage, with its place in the indexes.
STORED_BYTES = 250
#: A day: no recording lasts that long.
LATEST_MS = 24 * 60 * 60 * 1000


class MarkerRefused(Refusal):
    """The name, time or value of a marker cannot be taken."""

    code, status = "invalid_marker", 400


class TooManyMarkers(Refusal):
    """A recording has as many as it may."""

    code, status = "too_many_markers", 409


def add(recording_id: UUID, time_ms: int, name: Any, value: Any = None) -> Marker | None:
    """Set a marker.

    Args:
        recording_id: in which recording; whose it is has been checked.
        time_ms: milliseconds since its start.
        name: at most 80 characters; surrounding white space is left out.
        value: a finite number, or None.

    Returns:
        The marker; None where the recording was deleted meanwhile.

    Raises:
        MarkerRefused: one of them is not what it should be.
        TooManyMarkers: there are :data:`MAXIMUM_MARKERS`.
    """
    text = _checked(time_ms, name, value)
    with transaction.atomic():
        rows = Recording.objects.without_stretches().select_for_update(no_key=True)
        recording = rows.filter(pk=recording_id).first()
        if recording is None:
            return None
        if recording.markers.count() >= MAXIMUM_MARKERS:
            raise TooManyMarkers(
                _("A recording can have %(limit)d markers.") % {"limit": MAXIMUM_MARKERS}
            )
        _count(recording_id, STORED_BYTES)
        return Marker.objects.create(recording=recording, time_ms=time_ms, name=text, value=value)


def change(marker: Marker, time_ms: int, name: Any, value: Any = None) -> bool:
    """Give a marker another time, name and value, as for :func:`add`.

    Returns:
        Whether it is still there; a deleted one is not brought back.

    Raises:
        MarkerRefused: one of them is not what it should be.
    """
    marker.name = _checked(time_ms, name, value)
    marker.time_ms, marker.value = time_ms, value
    found = Marker.objects.filter(pk=marker.pk)
    return bool(found.update(time_ms=marker.time_ms, name=marker.name, value=marker.value))


def _checked(time_ms: int, name: Any, value: Any) -> str:
    """The name as it is kept, of a marker that may be."""
    text = " ".join(name.split()) if isinstance(name, str) else ""
    if not text or len(text) > NAME_LENGTH or not text.isprintable():
        raise MarkerRefused(_("A marker needs a name of at most 80 characters."))
    if isinstance(time_ms, bool) or not isinstance(time_ms, int) or not 0 <= time_ms <= LATEST_MS:
        raise MarkerRefused(_("A marker’s time is in milliseconds from the start, within a day."))
    if value is not None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not -1e15 <= value <= 1e15:
            raise MarkerRefused(_("A marker’s value is a number."))
    return text


@transaction.atomic
def remove(marker: Marker) -> None:
    """Delete a marker."""
    recording_id = marker.recording_id
    if Marker.objects.filter(pk=marker.pk).delete()[0]:
        _count(recording_id, -STORED_BYTES)


def _count(recording_id: UUID, n_bytes: int) -> None:
    # Those from before they were counted go for nothing.
    grown = Greatest(F("stored_bytes") + n_bytes, 0)
    Recording.objects.filter(pk=recording_id).update(stored_bytes=grown)


def as_dict(marker: Marker) -> dict[str, Any]:
    """A marker as it is sent and written to files."""
    return {
        "id": marker.pk,
        "time_ms": marker.time_ms,
        "name": marker.name,
        "value": marker.value,
    }
