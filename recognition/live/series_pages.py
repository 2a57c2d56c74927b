"""What the scripts of a recording's page fetch: its series, in small pieces."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from recognition.models import Recording
from recognition.series.markers import LATEST_MS
from recognition.series.pages import read_page

#: Samples in one answer.
BOXES_AT_ONCE = 2000


class Part(forms.Form):
    """Which part of the time is asked for."""

    after_ms = forms.IntegerField(min_value=-1, max_value=LATEST_MS)
    to_ms = forms.IntegerField(min_value=0, max_value=LATEST_MS)


@require_safe
@login_required
def boxes(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Where which face was, to be drawn over the video.

    A sample is ``[time_ms, face, x, y, width, height, label, uncertain, probability]``, its label
    a place in `labels`; `after_ms` is what the next part comes after, or null.
    """
    recording = get_object_or_404(Recording.objects.for_owner(request.user), pk=pk)
    asked = Part(request.GET)
    if not asked.is_valid():
        asked = Part({"after_ms": -1, "to_ms": LATEST_MS})
        asked.full_clean()
    part = asked.cleaned_data
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
