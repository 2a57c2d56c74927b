"""The page of what one's photos and live sessions showed over time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.http import signed_in
from recognition.statistics import counts
from recognition.statistics.chart import stacked
from recognition.statistics.forms import StatisticsRange
from recognition.statistics.links import PhotoLinks
from recognition.wording import CORRECTION_NAMES


@require_safe
@login_required
def statistics_page(request: HttpRequest) -> HttpResponse:
    """Expressions by day or week, and how often the model was right."""
    today = timezone.localdate()
    default: dict[str, Any] = {
        "start": today - timedelta(days=counts.DEFAULT_DAYS - 1),
        "end": today,
        "period": "day",
    }
    form = StatisticsRange(request.GET if request.GET else default)
    user = signed_in(request)
    asked = {**default, **form.cleaned_data} if form.is_valid() else default
    try:
        found = counts.of(user, **asked)
    except counts.StatisticsError as error:
        form.add_error(None, str(error))
        found = counts.of(user, **default)
    first, last = date.fromisoformat(found["start"]), date.fromisoformat(found["end"])
    links = PhotoLinks(counts.photos(user, first, last))
    nowhere = PhotoLinks({})
    context = {
        "form": form,
        "found": found,
        "first": first,
        "last": last,
        "photo_links": [(label, links.to(label, first, last)) for label in found["labels"]],
        "sections": [_section(found, "uploads", links), _section(found, "live", nowhere)],
        "said": CORRECTION_NAMES.items(),
        "matrix": _matrix(found["agreement"]["matrix"]),
        "ranges": [
            (name, f"?{urlencode(asked)}", asked == {key: str(found[key]) for key in asked})
            for name, asked in (
                (name, _range(today, days, period))
                for name, days, period in (
                    (_("30 days"), 30, "day"),
                    (_("12 weeks"), 84, "week"),
                    (_("1 year"), 365, "week"),
                )
            )
        ],
    }
    return render(request, "recognition/statistics.html", context)


def _range(today: date, days: int, period: str) -> dict[str, str]:
    """What the form is filled in with for the last `days` days."""
    return {"start": str(today - timedelta(days=days - 1)), "end": str(today), "period": period}


def _section(found: dict[str, Any], key: str, links: PhotoLinks) -> dict[str, Any]:
    """Chart and table of photos or of live sessions, with where their counts lead."""
    of = found[key]
    rows = []
    for period in reversed(of["periods"]):
        if period["total"]:
            start, end = date.fromisoformat(period["start"]), date.fromisoformat(period["end"])
            counted = period["counts"].items()
            cells = [(label, count, links.to(label, start, end)) for label, count in counted]
            rows.append((start, end, cells, period["total"]))
    chart = stacked(of["periods"], found["labels"])
    bars = [(part, links.to(part.label, part.start, part.end)) for part in chart.parts]
    return {**of, "key": key, "chart": chart, "bars": bars, "rows": rows}


def _matrix(matrix: dict[str, dict[str, int]]) -> list[tuple[str, list[tuple[int, int, bool]]]]:
    """For each predicted label its cells: count, depth of colour from 0 to 4, agreement."""
    largest = max((n for row in matrix.values() for n in row.values()), default=0)
    return [
        (
            predicted,
            [
                (n, -(-4 * n // largest) if largest else 0, said == predicted)
                for said, n in row.items()
            ],
        )
        for predicted, row in matrix.items()
    ]
