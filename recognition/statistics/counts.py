"""What a person's photos and live sessions showed over time, and how often the model was right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from recognition.models import Prediction, Recording, Upload
from recognition.refusals import Refusal
from recognition.series.timeline import read_stretches
from recognition.wording import LABEL_NAMES

if TYPE_CHECKING:
    from accounts.models import User

PERIODS = ("day", "week")
#: Days that are shown where nothing else is asked for.
DEFAULT_DAYS = 30
#: Days or weeks that one answer may have.
MAXIMUM_PERIODS = 400
#: Days beside which nothing can have been uploaded, and calculating with dates would end.
EARLIEST, LATEST = date(1970, 1, 1), date(2999, 12, 31)


class StatisticsError(Refusal):
    """A range of time that cannot be answered."""

    code, status = "invalid", 400


def of(user: User, *, start: date, end: date, period: str) -> dict[str, Any]:
    """Count expressions by day or week, as the owner corrected them.

    Args:
        user: whose photos and sessions.
        start: first day, in the site's time zone.
        end: last day; it counts as well.
        period: ``"day"`` or ``"week"`` (from Monday; the first and the last may be cut off by
            `start` and `end`).

    Returns:
        What can be written as JSON::

            {"start": "2026-01-01", "end": "2026-01-31", "period": "week",
             "labels": ["happy", …],
             "uploads": {"photos": 12, "not_a_face": 1, "total": 20,
                         "counts": {"happy": 9, …}, "shares": {"happy": 0.45, …},
                         "periods": [{"start": "2026-01-01", "end": "2026-01-04", "total": 3,
                                      "counts": {…}, "shares": {…}}, …]},
             "live": {"sessions": 2, "total": 61.5, "counts": {"happy": 40.2, …}, …},
             "agreement": {"corrected": 5, "agreed": 3, "share": 0.6,
                           "matrix": {"happy": {"happy": 3, …, "not_a_face": 0}, …}}}

        ``counts`` are faces for uploads and seconds for live sessions, in which several faces
        at the same time count each. ``shares`` sum to 1, or to 0 where nothing was seen.
        ``matrix`` tells for each predicted label what the owner said; ``share`` is None where
        they said nothing.

    Raises:
        StatisticsError: the range is empty, too far away, or longer than
            :data:`MAXIMUM_PERIODS`.
        ValueError: `period` is neither.
    """
    if period not in PERIODS:
        raise ValueError(f"{period!r} is not a period.")
    if end < start:
        raise StatisticsError(_("Start date is after end date."))
    if start < EARLIEST or end > LATEST:
        raise StatisticsError(_("No photos in that period."))
    if (end - start).days // (7 if period == "week" else 1) >= MAXIMUM_PERIODS:
        raise StatisticsError(_("Range too long. Pick fewer days or group by week."))
    starts = _starts(start, end, period)
    faces = _faces(user, start, end)
    seconds = _live_seconds(user, start, end)
    corrections = _corrections(user, start, end)
    n_corrected = sum(corrections.values())
    n_agreed = sum(n for (label, correction), n in corrections.items() if label == correction)
    matrix = {
        label: {said: corrections[label, said] for said in (*LABEL_NAMES, Prediction.NOT_A_FACE)}
        for label in LABEL_NAMES
    }
    return {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "period": period,
        "labels": list(LABEL_NAMES),
        "uploads": {
            "photos": _uploads(user, start, end).count(),
            "not_a_face": sum(counts[Prediction.NOT_A_FACE] for counts in faces.values()),
            **_over_time(faces, starts, end, period),
        },
        "live": {
            "sessions": _sessions(user, start, end).count(),
            **_over_time(seconds, starts, end, period),
        },
        "agreement": {
            "corrected": n_corrected,
            "agreed": n_agreed,
            "share": n_agreed / n_corrected if n_corrected else None,
            "matrix": matrix,
        },
    }


def _starts(start: date, end: date, period: str) -> list[date]:
    """The first day of each period."""
    starts = [start]
    while starts[-1] <= end:
        last = starts[-1]
        starts.append(last + timedelta(days=7 - last.weekday() if period == "week" else 1))
    return starts[:-1]


def _over_time(
    by_day: dict[date, Counter[str]], starts: list[date], end: date, period: str
) -> dict[str, Any]:
    """The whole range and its periods, each in the same shape."""
    collected: dict[date, Counter[str]] = {start: Counter() for start in starts}
    for day, counts in by_day.items():
        monday = day - timedelta(days=day.weekday())
        first = max(monday, starts[0]) if period == "week" else day
        collected[first].update(counts)
    ends = [start - timedelta(days=1) for start in starts[1:]] + [end]
    return {
        **_counts(sum(by_day.values(), Counter())),
        "periods": [
            {"start": first.isoformat(), "end": last.isoformat(), **_counts(collected[first])}
            for first, last in zip(starts, ends, strict=True)
        ],
    }


def _counts(counts: Counter[str]) -> dict[str, Any]:
    # Rounding leaves counts of faces whole, and seconds with two places.
    shown = {label: round(counts[label], 2) for label in LABEL_NAMES}
    total = round(sum(shown.values()), 2)
    shares = {label: round(n / total, 4) if total else 0.0 for label, n in shown.items()}
    return {"total": total, "counts": shown, "shares": shares}


def _bounds(start: date, end: date) -> tuple[datetime, datetime]:
    """The first moment of `start` and the first one after `end`."""
    first, after = (
        timezone.make_aware(datetime.combine(day, time.min))
        for day in (start, end + timedelta(days=1))
    )
    return first, after


def _uploads(user: User, start: date, end: date) -> Any:
    first, after = _bounds(start, end)
    return Upload.objects.for_owner(user).filter(
        created_at__gte=first, created_at__lt=after, status=Upload.Status.DONE
    )


def _predictions(user: User, start: date, end: date) -> Any:
    faces = Prediction.objects.for_owner(user).faces()
    return faces.filter(upload__in=_uploads(user, start, end)).order_by()


def _faces(user: User, start: date, end: date) -> dict[date, Counter[str]]:
    rows: Iterable[tuple[date, str, int]] = (
        _predictions(user, start, end)
        .with_effective_label()
        .values_list(TruncDate("upload__created_at"), "said")
        .annotate(n=Count("pk"))
    )
    by_day: dict[date, Counter[str]] = defaultdict(Counter)
    for day, said, n in rows:
        by_day[day][said] += n
    return by_day


def photos(user: User, start: date, end: date) -> dict[date, Counter[str]]:
    """How many photos show each label, by day; a photo with two labels counts for both."""
    rows: Iterable[tuple[date, str, int]] = (
        _predictions(user, start, end)
        .with_effective_label()
        .values_list(TruncDate("upload__created_at"), "said")
        .annotate(n=Count("upload", distinct=True))
    )
    by_day: dict[date, Counter[str]] = defaultdict(Counter)
    for day, said, n in rows:
        by_day[day][said] = n
    return by_day


def _corrections(user: User, start: date, end: date) -> Counter[tuple[str, str]]:
    rows = (
        _predictions(user, start, end)
        # The model's label of a spot that it rejected was no claim to agree with.
        .filter(rejected="")
        .exclude(correction="")
        .values_list("label", "correction")
        .annotate(n=Count("pk"))
    )
    return Counter({(label, correction): n for label, correction, n in rows})


def _sessions(user: User, start: date, end: date) -> Any:
    first, after = _bounds(start, end)
    return Recording.objects.for_owner(user).filter(ended_at__gte=first, started_at__lt=after)


def _live_seconds(user: User, start: date, end: date) -> dict[date, Counter[str]]:
    """Seconds of each label on each day; a stretch counts for the day on which it began."""
    by_day: dict[date, Counter[str]] = defaultdict(Counter)
    for session in _sessions(user, start, end).iterator(chunk_size=5):
        for stretch in read_stretches(session.samples):
            began = timezone.localtime(session.started_at + timedelta(seconds=stretch.start))
            if start <= began.date() <= end:
                by_day[began.date()][stretch.label] += stretch.seconds  # type: ignore[assignment]
    return by_day
