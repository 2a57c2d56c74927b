"""What would change if a candidate were active."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from operations.read_only import ReadOnlyAdmin
from recognition.model_registry import comparison
from recognition.models import ModelComparison, Prediction
from recognition.templatetags.recognition import exact_percent, label_name
from recognition.wording import LABEL_NAMES


@admin.register(ModelComparison)
class ModelComparisonAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "candidate", "status", "percent", "started_by", "finished_at")
    list_filter = ("status", "candidate")
    list_select_related = ("started_by",)
    date_hierarchy = "created_at"
    change_form_template = "admin/recognition/modelcomparison/change_form.html"
    fields = ("candidate", "status", "started_by", "created_at", "finished_at")

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<uuid:pk>/cancel/",
                self.admin_site.admin_view(require_POST(self.cancel_view)),
                name="recognition_modelcomparison_cancel",
            ),
            *super().get_urls(),
        ]

    @admin.display(description=_("progress"), ordering="progress")
    def percent(self, row: ModelComparison) -> str:
        return f"{row.progress:.0%}"

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("recognition.add_modelcomparison")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        context: dict[str, Any] = {
            "may_cancel": self.has_cancel_permission(request),
            "may_activate": request.user.has_perm("recognition.change_modelchoice"),
            **(extra_context or {}),
        }
        if row is not None and row.result:
            context |= summary(row.result)
        return super().change_view(request, object_id, form_url, context)

    def cancel_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        if not self.has_cancel_permission(request):
            raise PermissionDenied
        if comparison.cancel(str(pk)):
            self.message_user(request, _("Comparison cancelled."))
        else:
            self.message_user(request, _("The comparison had already finished."), messages.WARNING)
        return redirect("admin:recognition_modelcomparison_change", pk)


def summary(result: dict[str, Any]) -> dict[str, Any]:
    """A comparison's counts as its page shows them."""
    labels = list(LABEL_NAMES)
    matrix = [
        (
            label_name(old),
            [(result["labels"].get(old, {}).get(new, 0), old == new) for new in labels],
        )
        for old in labels
    ]
    same = sum(row.get(old, 0) for old, row in result["labels"].items())
    both = sum(sum(row.values()) for row in result["labels"].values())
    corrections = result["corrections"]
    return {
        "result": result,
        "label_names": [label_name(label) for label in labels],
        "matrix": matrix,
        "n_both": both,
        "n_changed": both - same,
        "means": {who: _mean(result, who) for who in ("stored", "candidate")},
        "agreement": {
            who: _share(corrections[who], corrections["n"]) for who in ("stored", "candidate")
        },
        "changed": [
            (
                entry["upload"],
                [(_name(face["from"]), _name(face["to"])) for face in entry["faces"]],
            )
            for entry in result["changed"]
        ],
    }


def _name(label: str) -> str:
    return str(_("no face")) if label == Prediction.NOT_A_FACE else label_name(label)


def _mean(result: dict[str, Any], who: str) -> str:
    n = result["faces"][who]
    return exact_percent(result["confidence_sum"][who] / n) if n else "–"


def _share(part: int, whole: int) -> str:
    return f"{part} ({exact_percent(part / whole)})" if whole else "–"
