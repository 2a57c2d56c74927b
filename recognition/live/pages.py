"""The live page, and the sessions that were recorded on it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import consent
from recognition.live.chart import COLUMNS, face_charts
from recognition.live.timeline import read_stretches, shares
from recognition.models import LiveSession, LiveSessionQuerySet
from recognition.people import CAMERA
from recognition.wording import LABEL_NAMES, labels_of

if TYPE_CHECKING:
    from accounts.models import User

SESSIONS_PER_PAGE = 20
#: Rows of the table under the chart; the CSV file has them all.
TABLE_ROWS = 300
CSV_COLUMNS = ("session", "started_at", "face", "label", "start", "end", "confidence")


@require_safe
@login_required
def live(request: HttpRequest) -> HttpResponse:
    """The page with the camera."""
    context = {
        "label_names": LABEL_NAMES.items(),
        "has_consent": consent.has(request.user, CAMERA),
    }
    return render(request, "recognition/live.html", context)


@require_POST
@login_required
def give_camera_consent(request: HttpRequest) -> HttpResponse:
    """The live page says that its notice was accepted."""
    consent.give(cast("User", request.user), CAMERA)
    return HttpResponse(status=204)


@require_safe
@login_required
def live_sessions(request: HttpRequest) -> HttpResponse:
    """One's recorded sessions, newest first."""
    page = Paginator(_own(request), SESSIONS_PER_PAGE).get_page(request.GET.get("page"))
    rows = []
    for session in page.object_list:
        stretches = read_stretches(session.samples)
        rows.append(
            (
                session,
                shares(stretches, labels_of(s.label for s in stretches)) if stretches else None,
            )
        )
    return render(request, "recognition/live_sessions.html", {"page": page, "rows": rows})


@require_safe
@login_required
def live_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One session: when each face had which expression."""
    session = get_object_or_404(_own(request), pk=pk)
    stretches = read_stretches(session.samples)
    labels = labels_of(stretch.label for stretch in stretches)
    seconds = max([session.seconds, *(stretch.end for stretch in stretches)])
    context = {
        "session": session,
        "seconds": seconds,
        "ticks": [0, seconds / 2, seconds],
        "shares": shares(stretches, labels),
        "charts": face_charts(stretches, labels, seconds),
        "labels": labels,
        "columns": COLUMNS,
        "stretches": stretches[:TABLE_ROWS],
        "n_more": max(0, len(stretches) - TABLE_ROWS),
    }
    return render(request, "recognition/live_session.html", context)


@require_safe
@login_required
def export_live_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One session as CSV, one row for each time through which a face kept a label."""
    session = get_object_or_404(_own(request), pk=pk)
    response = HttpResponse(content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="live-session-{pk}.csv"'
    writer = csv.writer(response)
    writer.writerow(CSV_COLUMNS)
    for stretch in read_stretches(session.samples):
        writer.writerow(
            [
                pk,
                session.started_at.isoformat(),
                stretch.face,
                stretch.label,
                f"{stretch.start:.2f}",
                f"{stretch.end:.2f}",
                f"{stretch.confidence:.3f}",
            ]
        )
    return response


@require_POST
@login_required
def delete_live_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    get_object_or_404(_own(request), pk=pk).delete()
    messages.success(request, _("Session deleted."))
    return redirect("live_sessions")


def _own(request: HttpRequest) -> LiveSessionQuerySet:
    return LiveSession.objects.for_owner(request.user)
