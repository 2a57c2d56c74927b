"""What the model said of each face, in all photos."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from operations.read_only import ReadOnlyAdmin
from recognition import faces
from recognition.admin.uploads import blurred_picture
from recognition.models import Prediction
from recognition.templatetags.recognition import (
    exact_percent,
    label_name,
    model_expression,
    rejection_text,
)
from recognition.wording import LABEL_NAMES, REJECTION_TEXTS


class LabelFilter(admin.SimpleListFilter):
    title = _("label")
    parameter_name = "label"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(LABEL_NAMES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> Any:
        return queryset.filter(label=self.value()) if self.value() else queryset


class RejectedFilter(admin.SimpleListFilter):
    title = _("rejected")
    parameter_name = "rejected"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("No: a face")), *REJECTION_TEXTS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> Any:
        if self.value() is None:
            return queryset
        return queryset.filter(rejected="" if self.value() == "no" else self.value())


class CorrectedFilter(admin.SimpleListFilter):
    title = _("corrected")
    parameter_name = "corrected"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("no", _("No")),
            ("confirmed", _("The label was confirmed")),
            ("changed", _("To another label")),
            ("not_a_face", _("Not a face")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> Any:
        said = queryset.exclude(correction="")
        match self.value():
            case "no":
                return queryset.filter(correction="")
            case "confirmed":
                return said.filter(correction=F("label"))
            case "changed":
                return said.exclude(correction__in=[F("label"), Prediction.NOT_A_FACE])
            case "not_a_face":
                return said.filter(correction=Prediction.NOT_A_FACE)
        return queryset


@admin.register(Prediction)
class PredictionAdmin(ReadOnlyAdmin):
    list_display = (
        "picture", "expression", "percent", "rejection", "corrected", "owner",
        "model_version", "uploaded_at",
    )  # fmt: skip
    list_display_links = ("expression",)
    list_filter = (LabelFilter, "uncertain", RejectedFilter, CorrectedFilter)
    list_select_related = ("upload__owner",)
    list_per_page = 25
    ordering = ("-upload__created_at", "-upload_id", "index")
    search_fields = ("upload__id", "upload__owner__email")
    date_hierarchy = "upload__created_at"
    fields = (
        "upload_link", "owner", "index", "expression", "percent", "probabilities_in_order",
        "uncertain", "rejection", "corrected", "corrected_at", "roll", "found_by",
        "x", "y", "width", "height", "model_version",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        return super().get_queryset(request).filter(upload__trashed_at=None)

    @admin.display(description=_("photo"))
    def picture(self, prediction: Prediction) -> str:
        return blurred_picture(prediction.upload)

    @admin.display(description=_("upload"))
    def upload_link(self, prediction: Prediction) -> str:
        address = reverse("admin:recognition_upload_change", args=[prediction.upload_id])
        return format_html('<a href="{}">{}</a>', address, prediction.upload_id)

    @admin.display(description=_("label"), ordering="label")
    def expression(self, prediction: Prediction) -> str:
        return model_expression(prediction)

    @admin.display(description=_("confidence"), ordering="confidence")
    def percent(self, prediction: Prediction) -> str:
        return exact_percent(prediction.confidence)

    @admin.display(description=_("probabilities"))
    def probabilities_in_order(self, prediction: Prediction) -> str:
        shares = faces.probabilities(prediction).items()
        return ", ".join(f"{label_name(label)} {exact_percent(share)}" for label, share in shares)

    @admin.display(description=_("rejected"), ordering="rejected")
    def rejection(self, prediction: Prediction) -> str:
        return rejection_text(prediction)

    @admin.display(description=_("corrected"), ordering="correction")
    def corrected(self, prediction: Prediction) -> str:
        return label_name(prediction.correction)

    @admin.display(description=_("owner"), ordering="upload__owner__email")
    def owner(self, prediction: Prediction) -> str:
        return str(prediction.upload.owner)

    @admin.display(description=_("model"), ordering="upload__model_version")
    def model_version(self, prediction: Prediction) -> str:
        return prediction.upload.model_version

    @admin.display(description=_("uploaded"), ordering="upload__created_at")
    def uploaded_at(self, prediction: Prediction) -> Any:
        return prediction.upload.created_at
