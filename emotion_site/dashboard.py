"""How the site is doing, for the administration's first page."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import User
from emotion_site.health import workers_alive
from recognition.jobs import broker
from recognition.model_registry.figures import active_model
from recognition.models import LiveUsage, Upload

T = TypeVar("T")

DAYS = 14
#: Seconds to wait for Redis, and for workers to answer.
PATIENCE = 0.8
#: Seconds for which the answers of other processes are good, and what is on the disk.
SERVICES_SECONDS, DISK_SECONDS = 5, 120


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the chart: `x` and `height` in its units, see :data:`CHART_HEIGHT`."""

    day: date
    count: int
    failed: int
    x: int
    height: float
    y: float


#: Of the chart of uploads: units a day wide, of which the bar takes so many; and its height.
DAY_WIDTH, BAR_WIDTH, CHART_HEIGHT = 20, 14, 60


def from_database() -> dict[str, Any]:
    """What the page shows at once."""
    now = timezone.now()
    since = now - timedelta(days=DAYS)
    waiting = Upload.objects.filter(status=Upload.Status.PENDING)
    working = Upload.objects.filter(status=Upload.Status.PROCESSING)
    oldest = waiting.order_by("created_at").values_list("created_at", flat=True).first()
    failures = (
        Upload.objects.filter(status=Upload.Status.FAILED, created_at__gte=since)
        .order_by()
        .values_list("error_code")
        .annotate(n=Count("pk"))
        .order_by("-n", "error_code")
    )
    people = User.objects.aggregate(
        active=Count("pk", filter=Q(is_active=True)),
        new=Count("pk", filter=Q(date_joined__gte=since)),
    )
    live = LiveUsage.objects.aggregate(
        today=Sum("seconds", filter=Q(day=now.date())),
        recent=Sum("seconds", filter=Q(day__gt=now.date() - timedelta(days=DAYS))),
    )
    stored = Upload.with_trash.filter(photo_deleted_at=None).aggregate(
        n=Count("pk"), size=Sum("stored_bytes")
    )
    bars = _uploads_a_day()
    return {
        "n_days": DAYS,
        "n_waiting": waiting.count(),
        "n_working": working.count(),
        "oldest_waiting": oldest,
        "failures": list(failures),
        "people": people,
        "live": {name: seconds or 0 for name, seconds in live.items()},
        "stored": {"n": stored["n"], "size": stored["size"] or 0},
        "model": active_model(),
        "bars": bars,
        "chart": {
            "width": DAYS * DAY_WIDTH,
            "height": CHART_HEIGHT,
            "bar_width": BAR_WIDTH,
            "most": max(bar.count for bar in bars),
            "total": sum(bar.count for bar in bars),
        },
    }


def from_services() -> dict[str, Any]:
    """What other processes and the disk have to be asked for; None where nothing answers."""
    length = _queue_length.get()
    return {
        "queue_length": length,
        # The workers are asked through Redis; where that is away, asking would only take longer.
        "n_workers": None if length is None else _workers_alive.get(),
        "disk": _disk_usage.get() if isinstance(default_storage, FileSystemStorage) else None,
    }


class _Remembered(Generic[T]):
    """An answer that is asked for again only after some seconds; None where there is none."""

    def __init__(self, ask: Callable[[], T], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._answer: T | None = None
        self._asked_at = float("-inf")

    def get(self) -> T | None:
        # Several open dashboards wait for one question.
        with self._lock:
            if time.monotonic() - self._asked_at >= self._seconds:
                try:
                    self._answer = self._ask()
                except Exception:  # Redis's client, Celery's and the disk each have their own.
                    self._answer = None
                self._asked_at = time.monotonic()
            return self._answer


def _uploads_a_day() -> list[Bar]:
    first = timezone.localdate() - timedelta(days=DAYS - 1)
    midnight = timezone.make_aware(datetime.combine(first, datetime.min.time()))
    counted = (
        Upload.objects.filter(created_at__gte=midnight)
        .order_by()
        .annotate(day=TruncDate("created_at"))
        .values_list("day")
        .annotate(n=Count("pk"), failed=Count("pk", filter=Q(status=Upload.Status.FAILED)))
    )
    by_day = {day: (n, failed) for day, n, failed in counted}
    most = max([1, *(n for n, _failed in by_day.values())])
    bars = []
    for number in range(DAYS):
        day = first + timedelta(days=number)
        n, failed = by_day.get(day, (0, 0))
        height = round(n / most * CHART_HEIGHT, 1)
        bars.append(Bar(day, n, failed, number * DAY_WIDTH, height, CHART_HEIGHT - height))
    return bars


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """What all stored files take; `is_all` is false where there were too many to look at."""

    size: int
    is_all: bool


def _files_on_disk() -> DiskUsage:
    size = 0
    began = time.monotonic()
    for folder, _folders, files in os.walk(settings.MEDIA_ROOT):
        for file in files:
            # One that was deleted meanwhile takes nothing.
            with suppress(OSError):
                size += os.stat(os.path.join(folder, file)).st_size
        if time.monotonic() - began > PATIENCE:
            return DiskUsage(size, is_all=False)
    return DiskUsage(size, is_all=True)


_queue_length = _Remembered(lambda: broker.length(PATIENCE), SERVICES_SECONDS)
_workers_alive = _Remembered(lambda: workers_alive(PATIENCE), SERVICES_SECONDS)
_disk_usage = _Remembered(_files_on_disk, DISK_SECONDS)
