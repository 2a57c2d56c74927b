"""The live page, and the sessions that were recorded on it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import audit, consent
from accounts.http import signed_in
from operations.streaming import piecewise
from recognition.live import series_pages
from recognition.live.chart import COLUMNS, face_charts, marker_lines
from recognition.live.forms import MarkerForm
from recognition.models import Recording, RecordingQuerySet
from recognition.people import CAMERA
from recognition.refusals import Refusal
from recognition.series import deleting, downloads, markers, marking
from recognition.series.timeline import Stretch, read_stretches, shares
from recognition.wording import LABEL_NAMES, labels_of

SESSIONS_PER_PAGE = 20
#: Rows of the table under the chart; the CSV file has them all.
TABLE_ROWS = 300
#: Content type and writer of a download, by its ending.
FORMATS: dict[str, tuple[str, Callable[[Recording], Iterator[str]]]] = {
    "csv": ("text/csv", downloads.as_csv),
    "json": ("application/json", downloads.as_json),
    "vtt": ("text/vtt", downloads.as_vtt),
}
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
    consent.give(signed_in(request), CAMERA)
    return HttpResponse(status=204)


def _labels(session: Recording, stretches: Iterable[Stretch]) -> tuple[str, ...]:
    """Those that faces had or could have had."""
    return labels_of([*session.labels, *(stretch.label for stretch in stretches)])


@require_safe
@login_required
def live_sessions(request: HttpRequest) -> HttpResponse:
    """One's recorded sessions, newest first."""
    mine = _own(request).without_stretches().select_related("video")
    page = Paginator(mine, SESSIONS_PER_PAGE).get_page(request.GET.get("page"))
    sessions = {session.pk: session for session in page.object_list}
    found = {}
    for pk, samples in Recording.objects.stretches(sessions.values()):
        stretches = read_stretches(samples)
        if stretches:
            found[pk] = shares(stretches, _labels(sessions[pk], stretches))
    rows = [(session, found.get(pk)) for pk, session in sessions.items()]
    return render(request, "recognition/live_sessions.html", {"page": page, "rows": rows})


@require_safe
@login_required
def live_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One session: when each face had which expression."""
    session = get_object_or_404(_own(request).select_related("video"), pk=pk)
    stretches = read_stretches(session.samples)
    labels = _labels(session, stretches)
    seconds = max([session.seconds, *(stretch.end for stretch in stretches)])
    charts, in_it = face_charts(stretches, labels, seconds), list(session.markers.all())
    context = {
        "session": session,
        "seconds": seconds,
        "ticks": [0, seconds / 2, seconds],
        "shares": shares(stretches, labels),
        "charts": charts,
        "faces_left_out": _left_out(len(charts), len({stretch.face for stretch in stretches})),
        "labels": labels,
        "columns": COLUMNS,
        "length_ms": round(seconds * 1000),
        **series_pages.context(session),
        "stretches": stretches[:TABLE_ROWS],
        "n_more": max(0, len(stretches) - TABLE_ROWS),
        "markers": in_it,
        "marker_lines": marker_lines(in_it, seconds),
    }
    return render(request, "recognition/live_session.html", context)


def _left_out(n_shown: int, n_faces: int) -> str:
    """What to say where not every face has a chart; empty where each has."""
    if n_shown == n_faces:
        return ""
    return _("%s of %s faces: those longest in view.") % (n_shown, n_faces)


@require_safe
@login_required
def export_live_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One session as CSV, one row for each time through which a face kept a label."""
    session = get_object_or_404(_own(request), pk=pk)
    _written_down(request, session, "live-session.csv")
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


@require_safe
@login_required
def download_recording(request: HttpRequest, pk: UUID, file_format: str) -> HttpResponseBase:
    """All that was recorded: every sample, or labels as subtitles."""
    recording = get_object_or_404(_own(request), pk=pk)
    if file_format not in FORMATS:
        raise Http404
    content_type, write = FORMATS[file_format]
    _written_down(request, recording, f"recording.{file_format}")
    response = StreamingHttpResponse(piecewise(write(recording)), content_type=content_type)
    name = f"recording-{pk}.{file_format}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
@login_required
def add_marker(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Set a marker in a recording, from the form of its page."""
    recording = get_object_or_404(_own(request), pk=pk)
    form = MarkerForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            time_ms = round(data["seconds"] * 1000)
            marking.add(signed_in(request).pk, pk, time_ms, data["name"], data["value"])
            messages.success(request, _("Marker set."))
        except Refusal as error:
            messages.error(request, str(error))
    else:
        messages.error(request, _("Give the marker a name and a time in seconds."))
    return redirect(recording)


@require_POST
@login_required
def delete_marker(request: HttpRequest, pk: UUID, marker: int) -> HttpResponse:
    recording = get_object_or_404(_own(request), pk=pk)
    markers.remove(get_object_or_404(recording.markers, pk=marker))
    messages.success(request, _("Marker deleted."))
    return redirect(recording)


@require_POST
@login_required
def delete_live_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    deleting.delete(get_object_or_404(_own(request), pk=pk), signed_in(request))
    messages.success(request, _("Session deleted."))
    return redirect("live_sessions")


def _written_down(request: HttpRequest, recording: Recording, file: str) -> None:
    if request.method != "HEAD":
        person = signed_in(request)
        target = f"recording:{recording.pk}"
        audit.record_hourly("recording_downloaded", person, person, target, file=file)


def _own(request: HttpRequest) -> RecordingQuerySet:
    return Recording.objects.for_owner(request.user)
