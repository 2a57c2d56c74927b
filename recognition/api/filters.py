"""What lists can be narrowed to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField
from rest_framework.request import Request

from recognition.dates import in_the_calendar
from recognition.models import Prediction, Recording, Upload, UploadQuerySet, Video
from recognition.wording import LABEL_NAMES

LABEL_CHOICES = [(label, label) for label in LABEL_NAMES]
NO_FACE = "none"


class ListFilter(filters.DjangoFilterBackend):
    """Narrows lists; a single row is found by its id, whatever else the address says."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        if view.action != "list":
            return queryset
        return super().filter_queryset(request, queryset, view)


class _SwitchField(forms.Field):
    """``true`` or ``false``; anything else is refused and not taken for nothing."""

    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        if str(value).lower() not in {"true", "false"}:
            raise ValidationError(_("Must be true or false."))
        return str(value).lower() == "true"


class Switch(filters.BooleanFilter):
    field_class = _SwitchField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"widget": forms.TextInput, **kwargs})


class _MomentField(IsoDateTimeField):
    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        try:
            return None if moment is None else in_the_calendar(moment)
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class Moment(filters.IsoDateTimeFilter):
    field_class = _MomentField


def _moment(lookup: str, field_name: str, help_text: str) -> Moment:
    return Moment(field_name=field_name, lookup_expr=lookup, help_text=help_text)


class UploadFilter(filters.FilterSet):
    """Which uploads; several conditions hold together."""

    status = filters.MultipleChoiceFilter(
        choices=[(value, value) for value in Upload.Status.values],
        help_text="Repeat it for several.",
    )
    label = filters.ChoiceFilter(
        choices=[*LABEL_CHOICES, (NO_FACE, NO_FACE)],
        method="with_label",
        help_text="With a face that shows this, as its owner corrected it; `none`: done, and "
        "without any face.",
    )
    uncertain = Switch(
        method="with_uncertain", help_text="With (or without) a face the model is not sure of."
    )
    created_after = _moment("gte", "created_at", "At this moment (ISO 8601) or later.")
    created_before = _moment("lt", "created_at", "Before this moment (ISO 8601).")
    name = filters.CharFilter(
        lookup_expr="icontains", max_length=255, help_text="Part of the file's name, in any case."
    )
    sha256 = filters.CharFilter(max_length=64, help_text="Of the file, in hexadecimal.")

    class Meta:
        model = Upload
        fields: list[str] = []

    def with_label(self, uploads: UploadQuerySet, name: str, value: str) -> UploadQuerySet:
        if value == NO_FACE:
            return uploads.without_faces()
        return uploads.showing(value)

    def with_uncertain(self, uploads: UploadQuerySet, name: str, value: bool) -> UploadQuerySet:
        return uploads.with_uncertain(value)


class PredictionFilter(filters.FilterSet):
    """Which faces; several conditions hold together."""

    upload = filters.UUIDFilter(field_name="upload_id", help_text="Of this upload.")
    label = filters.ChoiceFilter(
        choices=[*LABEL_CHOICES, (Prediction.NOT_A_FACE, Prediction.NOT_A_FACE)],
        method="saying",
        help_text="That show this, as their owner corrected it.",
    )
    uncertain = Switch(help_text="That the model is not (or is) sure of.")
    corrected = Switch(
        method="with_correction", help_text="That their owner has (or has not) corrected."
    )
    rejected = Switch(
        method="with_rejected",
        help_text="Only spots that the recognizer rejected (or only faces); without it only "
        "faces. A rejected spot that was corrected to an expression is both.",
    )
    uploaded_after = _moment("gte", "uploaded_at", "At this moment (ISO 8601) or later.")
    uploaded_before = _moment("lt", "uploaded_at", "Before this moment (ISO 8601).")

    class Meta:
        model = Prediction
        fields: list[str] = []

    def filter_queryset(self, queryset: Any) -> Any:
        if self.form.cleaned_data["rejected"] is None:
            queryset = queryset.faces()
        return super().filter_queryset(queryset)

    def saying(self, faces: Any, name: str, value: str) -> Any:
        return faces.saying(value)

    def with_correction(self, faces: Any, name: str, value: bool) -> Any:
        return faces.exclude(correction="") if value else faces.filter(correction="")

    def with_rejected(self, faces: Any, name: str, value: bool) -> Any:
        return faces.exclude(rejected="") if value else faces.faces()


class RecordingFilter(filters.FilterSet):
    """Which recordings."""

    started_after = _moment("gte", "started_at", "At this moment (ISO 8601) or later.")
    started_before = _moment("lt", "started_at", "Before this moment (ISO 8601).")

    class Meta:
        model = Recording
        fields: list[str] = []


class VideoFilter(filters.FilterSet):
    """Which videos."""

    status = filters.MultipleChoiceFilter(
        choices=[(value, value) for value in (*Upload.Status.values, Video.CANCELLED)],
        help_text="Repeat it for several.",
    )
    created_after = _moment("gte", "created_at", "At this moment (ISO 8601) or later.")
    created_before = _moment("lt", "created_at", "Before this moment (ISO 8601).")

    class Meta:
        model = Video
        fields: list[str] = []
