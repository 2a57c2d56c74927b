"""A recording's series on its page: what scripts fetch of it, means by stretch, corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.http import signed_in
from recognition.live.forms import AnswerForm, BaselineForm, OverviewForm, PartForm
from recognition.models import Recording
from recognition.refusals import Refusal
from recognition.series import answers, markers, marking, overview, stretches
from recognition.series.markers import LATEST_MS
from recognition.series.pages import read_page
from recognition.wording import CORRECTION_NAMES

#: Samples in one answer.
BOXES_AT_ONCE = 2000
#: Stretches on one page, and faces of each of them: a recording may have a thousand of the ones and
#: many of the others, and a page of all took minutes and hundreds of megabytes.
STRETCHES_PER_PAGE, MOST_FACES = 25, 20
#: Recordings that one can be compared with: the latest.
MOST_OTHERS = 50


def context(recording: Recording) -> dict[str, Any]:
    """What the template of the chart wants to know."""
    others = Recording.objects.filter(owner_id=recording.owner_id, n_samples__gt=0)
    others = others.without_stretches()
    given = list(recording.answers.order_by("face", "start_ms", "pk"))
    return {
        "others": list(others.exclude(pk=recording.pk).select_related("video")[:MOST_OTHERS]),
        "answers": given,
        "answers_as_json": [answers.as_dict(answer) for answer in sorted(given, key=_by_number)],
        "markers_as_json": [markers.as_dict(marker) for marker in recording.markers.all()],
        "label_names": {label: str(name) for label, name in CORRECTION_NAMES.items()},
        "words": {
            "face": _("Face %s"),
            "change": _("Face %s: change from the baseline"),
            "both": _("%s: this recording, and dashed the other one"),
            "nothing": _("No face was in view here."),
            "more": _("%s of %s faces: those longest in view."),
            "time": _("Time"),
        },
    }


def _by_number(answer: Any) -> int:
    return int(answer.pk)


@require_safe
@login_required
def boxes(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Where which face was, to be drawn over the video.

    A sample is ``[time_ms, face, x, y, width, height, label, uncertain, probability]``, its label
    a place in `labels`; `after_ms` is what the next part comes after, or null.
    """
    recording = _own(request, pk)
    asked = PartForm(request.GET)
    part = asked.cleaned_data if asked.is_valid() else {"after_ms": -1, "to_ms": LATEST_MS}
    page = read_page(recording, BOXES_AT_ONCE, after_ms=part["after_ms"], to_ms=part["to_ms"])
    labels: list[str] = recording.labels
    samples = [
        [
            sample.time_ms, sample.face, sample.x, sample.y, sample.width, sample.height,
            labels.index(sample.label), sample.uncertain, sample.probabilities[sample.label],
        ]
        for sample in page.samples
    ]  # fmt: skip
    return JsonResponse({"labels": labels, "samples": samples, "after_ms": page.after_ms})


@require_safe
@login_required
def show_overview(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A part of the series in as many places as a chart has; the whole where nothing is asked."""
    recording = _own(request, pk)
    asked = OverviewForm(request.GET)
    part = asked.cleaned_data if asked.is_valid() else {}
    from_ms = part.get("from_ms") or 0
    to_ms = max(from_ms + 1, part.get("to_ms") or round(recording.seconds * 1000) + 1)
    found = overview.look_at(recording, from_ms, to_ms, part.get("places") or OverviewForm.USUAL)
    return JsonResponse(found.as_dict())


@require_safe
@login_required
def show_stretches(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Shares and means from marker to marker, and how they change from a baseline."""
    recording = _own(request, pk)
    form = BaselineForm(request.GET if "from" in request.GET else None)
    page = Paginator(stretches.spans(recording), STRETCHES_PER_PAGE).get_page(
        request.GET.get("page")
    )
    found = stretches.rows(
        recording,
        list(page.object_list),
        answers.of(recording),
        form.span if form.is_valid() else None,
    )
    rows = _longest_in_view(found)
    answered = {label for row in rows for label in row.shares}
    labels = [name for name in CORRECTION_NAMES if name in answered or name in recording.labels]
    values = {
        "session": recording,
        "rows": [(row, [_cell(row, label) for label in labels]) for row in rows],
        "labels": labels,
        "form": form,
        "has_baseline": form.is_valid(),
        "page": page,
        "query": form.query if form.is_valid() else "",
        "most_faces": MOST_FACES if len(rows) < len(found) else 0,
    }
    return render(request, "recognition/stretches.html", values)


def _longest_in_view(rows: Sequence[stretches.Row]) -> list[stretches.Row]:
    """The rows of those faces of each stretch that have the most samples in it."""
    kept: list[stretches.Row] = []
    for _span, of_span in groupby(rows, key=lambda row: row.span):
        longest = sorted(of_span, key=lambda row: -row.n)[:MOST_FACES]
        kept += sorted(longest, key=lambda row: row.face)
    return kept


@dataclass(frozen=True, slots=True)
class Cell:
    """One label of a row of the table, as it is read; `mean` is empty where only people say it."""

    share: float
    mean: str = ""
    margin: str = ""
    change: str = ""


def _cell(row: stretches.Row, label: str) -> Cell:
    share, mean = row.shares.get(label, 0.0), row.means.get(label)
    if mean is None:
        return Cell(share)
    margin = "" if mean.margin is None else number_format(mean.margin, 3)
    change = ""
    if row.changes is not None:
        # A minus sign, not a hyphen: it is as wide as the plus.
        sign = "+" if row.changes[label] >= 0 else "\u2212"
        change = sign + number_format(abs(row.changes[label]), 3)
    return Cell(share, number_format(mean.value, 3), margin, change)


@require_POST
@login_required
def add_answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say what a face showed from here to there, from the form of the page."""
    recording = _own(request, pk)
    form = AnswerForm(request.POST)
    if form.is_valid():
        try:
            marking.answer(recording, signed_in(request), **form.given)
            messages.success(request, _("Corrected. The model’s values are still there beside it."))
        except Refusal as error:
            messages.error(request, str(error))
    else:
        messages.error(request, _("Give a face, an expression, and from when to when."))
    return redirect(recording)


@require_POST
@login_required
def delete_answer(request: HttpRequest, pk: UUID, answer: int) -> HttpResponse:
    answers.remove(get_object_or_404(_own(request, pk).answers, pk=answer))
    messages.success(request, _("Correction deleted."))
    return redirect("live_session", pk)


def _own(request: HttpRequest, pk: UUID) -> Recording:
    return get_object_or_404(Recording.objects.for_owner(request.user), pk=pk)
