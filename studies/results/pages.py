"""Pages of the results: every stimulus, one stimulus with all participants, the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import signed_in
from studies import access
from studies.models import Block, ExclusionRule, Study
from studies.planning.context import page as page_of
from studies.results import bootstrap, chart, grouping
from studies.results.chart import Chart
from studies.results.curves import HZ
from studies.results.download_pages import ARCHIVE, TEXTS
from studies.results.downloads import FILES
from studies.results.figures import FIGURES
from studies.results.forms import RulesForm
from studies.results.groups import BlockResult, shown
from studies.results.loading import Participant, StudyData, load_for
from studies.results.numbers import number
from studies.results.rules import Reason

#: Participants' charts of one page, and stimuli: of each, up to six groups are worked out.
PARTICIPANTS_PER_PAGE, STIMULI_PER_PAGE = 48, 20
#: Rows of a curve's table.
TABLE_ROWS = 20
REASONS = {
    Reason.NO_DATA: gettext_lazy("nothing recorded"),
    Reason.NOT_FINISHED: gettext_lazy("did not finish"),
    Reason.FEW_FACES: gettext_lazy("too few frames with a face"),
    Reason.FEW_FRAMES: gettext_lazy("too few frames per second"),
}
DOWNLOADS = {
    ARCHIVE: gettext_lazy("everything in one archive"),
    "participants.csv": gettext_lazy("who took part, and who is left out"),
    "blocks.csv": gettext_lazy("figures of each participant, block and expression"),
    "curves.csv": gettext_lazy("each participant’s curves, ten points a second"),
    "answers.csv": gettext_lazy("what was answered"),
    "samples.csv": gettext_lazy("every sample, as it was recorded"),
    "methods.txt": gettext_lazy("a paragraph on methods, to be checked and pasted"),
    "codebook.md": gettext_lazy("what every column means"),
    "CITATION.cff": gettext_lazy("how to cite the software"),
}


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure of a group; without ends where there are too few for them."""

    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group's part in a block, as the page shows it.

    Attributes:
        rows: a label, and its figures in the order of FIGURES.
        times: a second, and each label's value.
    """

    name: str
    n: int
    chart: Chart
    rows: list[tuple[str, list[Interval]]]
    times: list[tuple[float, list[float | None]]]


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block and its groups."""

    block: Block
    groups: list[GroupView]

    @property
    def n(self) -> int:
        return sum(group.n for group in self.groups)


@require_safe
@login_required
def results(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Stimuli, some at a time: the group's curves, and figures with intervals."""
    user = signed_in(request)
    study = access.readable(user, pk)
    data = load_for(user, study)
    view = grouping.view_of(data, request.GET)
    groups = grouping.groups_of(data, view.by)
    context = _common(data, view)
    page = Paginator(data.stimuli, STIMULI_PER_PAGE).get_page(request.GET.get("page"))
    context["page"] = page
    context["blocks"] = [_block_view(data, groups, block, view) for block in page.object_list]
    context["form"] = RulesForm(study)
    return page_of(request, "studies/results.html", study, **context)


@require_safe
@login_required
def block_results(request: HttpRequest, pk: UUID, block: int) -> HttpResponse:
    """One stimulus: the group's curves, and every participant's."""
    user = signed_in(request)
    study = access.readable(user, pk)
    data = load_for(user, study)
    found = _stimulus(data, block)
    view = grouping.view_of(data, request.GET)
    groups = grouping.groups_of(data, view.by)
    people = [one for one in data.included if data.seen(one, found) is not None]
    page = Paginator(people, PARTICIPANTS_PER_PAGE).get_page(request.GET.get("page"))
    lengths = [len(one.grids[found.pk]) for one in people]
    length = max(lengths, default=0) / HZ
    small = [(one, _small(data, one, found, length, view.is_corrected)) for one in page.object_list]
    context = _common(data, view) | {
        "one": _block_view(data, groups, found, view),
        "page": page,
        "small": small,
        "query": view.query,
    }
    return page_of(request, "studies/results_block.html", study, **context)


@require_http_methods(["POST"])
@login_required
def rules(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Change who is left out; what is shown and downloaded follows at once."""
    user = signed_in(request)
    access.editable(user, pk)
    with transaction.atomic():
        # One after the other: the form compares what it was opened with, and writes.
        form = RulesForm(
            get_object_or_404(Study.objects.select_for_update(no_key=True), pk=pk), request.POST
        )
        is_valid = form.is_valid()
        if is_valid:
            form.save(user)
    if is_valid:
        messages.success(request, _("Rules saved."))
    elif form.non_field_errors():
        messages.error(request, str(form.non_field_errors()[0]))
    else:
        messages.error(request, _("Give a share from 0 to 100 and a rate from 0 to 60."))
    return redirect("studies:results", pk)


def _stimulus(data: StudyData, pk: int) -> Block:
    found = next((block for block in data.stimuli if block.pk == pk), None)
    if found is None:
        raise Http404
    return found


def _common(data: StudyData, view: grouping.View) -> dict[str, Any]:
    study = data.study
    out = [one for one in data.participants if one.excluded]
    return {
        "data": data,
        "view": view,
        "labels": data.labels,
        "attributes": [
            (f"{grouping.ATTRIBUTE}{name}", name) for name in grouping.attribute_names(data)
        ],
        "has_conditions": any(one.condition for one in data.included),
        "n_included": len(data.included),
        "n_all": len(data.participants),
        "needed": bootstrap.NEEDED,
        "resamples": bootstrap.RESAMPLES,
        "excluded": [(one, [REASONS[reason] for reason in one.excluded]) for one in out],
        "rule": ExclusionRule.objects.filter(study=study).select_related("changed_by").first(),
        "downloads": [(name, DOWNLOADS[name]) for name in (ARCHIVE, *FILES, *TEXTS)],
        "width": chart.WIDTH,
        "height": chart.HEIGHT,
    }


def _block_view(
    data: StudyData, groups: list[grouping.Group], block: Block, view: grouping.View
) -> BlockView:
    found = [(group, grouping.result_of(data, group, block, view)) for group in groups]
    there = [(group, result) for group, result in found if result.n]
    ends = [
        np.concatenate([c.mean.ravel(), c.low.ravel(), c.high.ravel()])
        for c in (result.curve.values for _group, result in there)
    ]
    top, bottom = chart.scale(ends, view.is_corrected)
    return BlockView(
        block, [_group_view(group, result, data, top, bottom) for group, result in there]
    )


def _group_view(
    group: grouping.Group, result: BlockResult, data: StudyData, top: float, bottom: float
) -> GroupView:
    curve, figures = result.curve, result.figures
    return GroupView(
        group.name,
        result.n,
        chart.group_chart(curve, data.labels, top, bottom),
        [
            (
                label,
                [
                    Interval(
                        number(figures.mean[row, place]),
                        number(figures.low[row, place]),
                        number(figures.high[row, place]),
                    )
                    for row in range(len(FIGURES))
                ],
            )
            for place, label in enumerate(data.labels)
        ],
        [
            (float(curve.seconds[at]), [number(value) for value in curve.values.mean[at]])
            for at in _spread(len(curve.seconds))
        ],
    )


def _spread(n: int) -> list[int]:
    """Places of at most :data:`TABLE_ROWS` of `n` points, evenly."""
    return list(range(0, n, max(1, -(-n // TABLE_ROWS))))


def _small(
    data: StudyData, one: Participant, block: Block, length: float, is_corrected: bool
) -> Chart:
    seen = data.seen(one, block)
    assert seen is not None
    return chart.small_chart(shown(seen, is_corrected), data.labels, length, is_corrected)
