"""Pages of a study's blocks, which work without scripts."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import signed_in
from recognition.refusals import Refusal
from studies import access
from studies.models import Block, Member, Study
from studies.planning import blocks as plan
from studies.planning import files
from studies.planning.block_forms import MEANINGS, BlockForm, ConditionForm, StimulusForm
from studies.planning.context import page


@require_safe
@login_required
def blocks(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The list, with conditions and order."""
    study = access.readable(signed_in(request), pk)
    return page(
        request,
        "studies/blocks.html",
        study,
        blocks=list(study.blocks.select_related("condition")),
        conditions=list(study.conditions.all()),
        kinds=[(kind.value, kind.label, MEANINGS[kind]) for kind in Block.Kind],
        orders=Study.Order.choices,
        condition_form=ConditionForm(),
        is_fixed=study.status != Study.Status.DRAFT,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_block(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A new block of the ``kind`` in the query."""
    study = access.editable(signed_in(request), pk)
    kind = request.GET.get("kind", Block.Kind.TEXT)
    if kind not in Block.Kind.values:
        raise Http404
    form = BlockForm(study, kind, request.POST or None)
    if request.method == "POST" and form.is_valid():
        block = form.save(commit=False)
        try:
            plan.add(block)
        except Refusal as error:
            messages.error(request, str(error))
            return redirect("studies:blocks", pk)
        if kind in Block.WITH_FILE:
            return redirect("studies:edit_block", pk, block.pk)
        return redirect(_place(block))
    return _form_page(request, study, form)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_block(request: HttpRequest, pk: UUID, block: int) -> HttpResponse:
    """Change a block, and choose its file."""
    study = access.editable(signed_in(request), pk)
    found = get_object_or_404(study.blocks, pk=block)
    form = BlockForm(study, found.kind, request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        try:
            plan.save(form.save(commit=False))
        except Refusal as error:
            messages.error(request, str(error))
        return redirect(_place(found))
    return _form_page(request, study, form)


@require_POST
@login_required
def change_block(request: HttpRequest, pk: UUID, block: int) -> HttpResponse:
    """Move it ``up`` or ``down``, ``duplicate`` or ``delete`` it, as ``action`` says."""
    study = access.editable(signed_in(request), pk)
    found = get_object_or_404(study.blocks, pk=block)
    shown = found
    try:
        match request.POST.get("action"):
            case "up":
                plan.move(found, -1)
            case "down":
                plan.move(found, +1)
            case "duplicate":
                shown = plan.duplicate(found)
            case "delete":
                plan.delete(found)
                messages.success(request, _("Deleted: %(name)s") % {"name": found.name})
                return redirect("studies:blocks", pk)
    except Refusal as error:
        messages.error(request, str(error))
    return redirect(_place(shown))


@require_safe
@login_required
def block_file(request: HttpRequest, pk: UUID, block: int) -> HttpResponseBase:
    """The file of a block, for the team."""
    study = access.readable(signed_in(request), pk)
    return files.stimulus_response(request, get_object_or_404(study.blocks, pk=block))


@require_POST
@login_required
def upload_stimulus(request: HttpRequest) -> HttpResponse:
    """A file for the ``block`` of the form. Of all pages of studies this one takes large bodies."""
    form = StimulusForm(request.POST, request.FILES)
    if not form.is_valid():
        with suppress(ValueError, TypeError):
            block = int(request.POST.get("block", ""))
            found = get_object_or_404(_editable_blocks(request), pk=block)
            messages.error(request, _("Choose a file."))
            return redirect("studies:edit_block", found.study_id, found.pk)
        raise Http404
    found = get_object_or_404(_editable_blocks(request), pk=form.cleaned_data["block"])
    try:
        files.take_in(found, form.cleaned_data["file"])
        messages.success(request, _("The file is stored."))
    except Refusal as error:
        messages.error(request, str(error))
    return redirect("studies:edit_block", found.study_id, found.pk)


@require_POST
@login_required
def set_order(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Choose the ``order`` of blocks that may move."""
    study = access.editable(signed_in(request), pk)
    try:
        plan.set_order(study, request.POST.get("order", ""))
        messages.success(request, _("Saved."))
    except Refusal as error:
        messages.error(request, str(error))
    except ValueError:
        messages.error(request, _("Choose one of the options."))
    return redirect("studies:blocks", pk)


@require_POST
@login_required
def add_condition(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Add a condition by its ``name``."""
    study = access.editable(signed_in(request), pk)
    form = ConditionForm(request.POST)
    if form.is_valid():
        try:
            plan.add_condition(study, form.cleaned_data["name"])
        except Refusal as error:
            messages.error(request, str(error))
    else:
        messages.error(request, _("Give the condition a name."))
    return redirect(f"{reverse('studies:blocks', args=[pk])}#conditions")


@require_POST
@login_required
def delete_condition(request: HttpRequest, pk: UUID, condition: int) -> HttpResponse:
    """Delete a condition; its blocks are then for everybody."""
    study = access.editable(signed_in(request), pk)
    try:
        plan.delete_condition(get_object_or_404(study.conditions, pk=condition))
    except Refusal as error:
        messages.error(request, str(error))
    return redirect(f"{reverse('studies:blocks', args=[pk])}#conditions")


def _editable_blocks(request: HttpRequest) -> QuerySet[Block]:
    studies = Study.objects.for_team(signed_in(request), Member.Role.EDITOR)
    return Block.objects.filter(study__in=studies).select_related("study")


def _form_page(request: HttpRequest, study: Study, form: BlockForm) -> HttpResponse:
    block = form.instance
    return page(
        request,
        "studies/block.html",
        study,
        form=form,
        item=block,  # Not "block": within a block of a template that is the block itself.
        meaning=MEANINGS[Block.Kind(block.kind)],
        takes_file=block.kind in Block.WITH_FILE,
        is_fixed=study.status != Study.Status.DRAFT,
        most_bytes=files.most_bytes(block),
    )


def _place(block: Block) -> str:
    return f"{reverse('studies:blocks', args=[block.study_id])}#block-{block.pk}"
