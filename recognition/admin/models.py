"""Which models there are, how good each is, and which one labels new faces."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.http import signed_in
from operations.read_only import ReadOnlyAdmin
from recognition.model_registry import catalogue, comparison
from recognition.model_registry.figures import figures_of
from recognition.models import ModelChoice, ModelComparison
from recognition.vision.errors import ModelError

#: Choices and comparisons shown under the list of models.
SHOWN = 10


class ComparisonForm(forms.Form):
    """What of the stored uploads is replayed."""

    count = forms.IntegerField(
        label=_("most recent photos"),
        min_value=1,
        max_value=comparison.MAXIMUM_UPLOADS,
        initial=comparison.DEFAULT_UPLOADS,
    )
    only_corrected = forms.BooleanField(label=_("only photos with corrections"), required=False)


@admin.register(ModelChoice)
class ModelChoiceAdmin(ReadOnlyAdmin):
    """The list is of the models in the folder; the rows are what was chosen when."""

    fields = ("manifest", "version", "chosen_by", "chosen_at")

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "activate/",
                self.admin_site.admin_view(require_POST(self.activate_view)),
                name="recognition_modelchoice_activate",
            ),
            path(
                "compare/",
                self.admin_site.admin_view(require_POST(self.compare_view)),
                name="recognition_modelchoice_compare",
            ),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            active = catalogue.active_manifest()
        except ModelError:
            active = None
        rows = [
            {
                "name": candidate.name,
                "error": candidate.error,
                "manifest": candidate.manifest,
                "artefact": candidate.manifest and candidate.manifest.content["artefact"],
                "created": candidate.manifest and candidate.manifest.content.get("created"),
                "figures": figures_of(candidate.manifest) if candidate.manifest else [],
                "is_active": active is not None and candidate.manifest == active,
                "is_default": candidate.name == settings.MODEL_MANIFEST.name,
                "form": ComparisonForm(auto_id=f"compare_{number}_%s", label_suffix=""),
            }
            for number, candidate in enumerate(catalogue.candidates())
        ]
        comparisons = ModelComparison.objects.select_related("started_by").defer(
            "result", "upload_ids"
        )
        context = {
            **self.admin_site.each_context(request),
            "title": _("Models"),
            "opts": self.opts,
            "rows": rows,
            "active": active,
            "may_activate": request.user.has_perm("recognition.change_modelchoice"),
            "may_compare": request.user.has_perm("recognition.add_modelcomparison"),
            "may_view_comparisons": request.user.has_perm("recognition.view_modelcomparison"),
            "choices": ModelChoice.objects.select_related("chosen_by")[:SHOWN],
            "comparisons": comparisons[:SHOWN],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/recognition/modelchoice/change_list.html", context)

    def activate_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("recognition.change_modelchoice"):
            raise PermissionDenied
        try:
            choice = catalogue.choose(request.POST.get("name", ""), signed_in(request))
        except ModelError as error:
            text = _("Nothing was changed. %(reason)s") % {"reason": error}
            self.message_user(request, text, messages.ERROR)
        else:
            text = _("New faces are now labelled by %(version)s.") % {"version": choice.version}
            self.message_user(request, text)
        return redirect("admin:recognition_modelchoice_changelist")

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("recognition.add_modelcomparison"):
            raise PermissionDenied
        form = ComparisonForm(request.POST)
        if not form.is_valid():
            text = _("Compare with 1 to %(maximum)d photos.") % {
                "maximum": comparison.MAXIMUM_UPLOADS
            }
            self.message_user(request, text, messages.ERROR)
            return redirect("admin:recognition_modelchoice_changelist")
        try:
            started = comparison.create(
                request.POST.get("name", ""),
                form.cleaned_data["count"],
                form.cleaned_data["only_corrected"],
                signed_in(request),
            )
        except ModelError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:recognition_modelchoice_changelist")
        return redirect("admin:recognition_modelcomparison_change", started.pk)
