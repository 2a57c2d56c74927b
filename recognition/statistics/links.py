"""From counts of faces to the photos that they were seen in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from recognition.models import Upload


@dataclass(frozen=True, slots=True)
class PhotoLink:
    """The history narrowed to the `photos` photos that show a label in some days."""

    url: str
    photos: int


class PhotoLinks:
    """Where counts lead, by label and days."""

    def __init__(self, by_day: dict[date, Counter[str]]) -> None:
        """Take photos by day and label, as :func:`.counts.photos` counts them."""
        self._by_day = by_day

    def to(self, label: str, start: date, end: date) -> PhotoLink | None:
        """The photos with a face of `label` from `start` to `end`, both counted; None for none."""
        days = (start + timedelta(days=n) for n in range((end - start).days + 1))
        photos = sum(self._by_day[day][label] for day in days if day in self._by_day)
        if not photos:
            return None
        asked = {"label": label, "since": start, "until": end, "status": Upload.Status.DONE}
        return PhotoLink(f"{reverse('history')}?{urlencode(asked)}", photos)
