"""The page of what one's photos and live sessions showed over time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

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
    context = {
        "form": form,
        "found": found,
        "sections": [_section(found, "uploads"), _section(found, "live")],
        "said": CORRECTION_NAMES.items(),
        "matrix": _matrix(found["agreement"]["matrix"]),
        "ranges": [
            (name, f"?start={today - timedelta(days=days - 1)}&end={today}&period={period}")
            for name, days, period in (
                (_("30 days"), 30, "day"),
                (_("12 weeks"), 84, "week"),
                (_("1 year"), 365, "week"),
            )
        ],
    }
    return render(request, "recognition/statistics.html", context)


def _section(found: dict[str, Any], key: str) -> dict[str, Any]:
    """Chart and table of photos or of live sessions."""
    of = found[key]
    rows = [
        (
            date.fromisoformat(period["start"]),
            date.fromisoformat(period["end"]),
            period["counts"].values(),
            period["total"],
        )
        for period in reversed(of["periods"])
        if period["total"]
    ]
    return {**of, "key": key, "chart": stacked(of["periods"], found["labels"]), "rows": rows}


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
