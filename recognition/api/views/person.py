"""Who one is to the interface, what one may do, and one's statistics."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.http import signed_in
from recognition import quotas
from recognition.api import schema
from recognition.api.serializers import LABELS
from recognition.api.waiting import MAXIMUM_SECONDS
from recognition.model_registry.catalogue import active_manifest
from recognition.models import Prediction
from recognition.statistics import counts as statistics
from recognition.vision import images


class QuotaSerializer(serializers.Serializer):
    used = serializers.FloatField(min_value=0)
    limit = serializers.FloatField(min_value=0, allow_null=True, help_text="Null: no limit.")


class QuotasSerializer(serializers.Serializer):
    uploads_today = QuotaSerializer()
    bytes = QuotaSerializer()
    live_seconds_today = QuotaSerializer()


class LimitsSerializer(serializers.Serializer):
    """What a single photo or request may be."""

    formats = serializers.ListField(child=serializers.CharField())
    maximum_bytes = serializers.IntegerField()
    maximum_pixels = serializers.IntegerField()
    maximum_side = serializers.IntegerField(help_text="In pixels.")
    minimum_side = serializers.IntegerField(help_text="In pixels.")
    maximum_files = serializers.IntegerField(help_text="Photos in one request.")
    maximum_request_bytes = serializers.IntegerField(help_text="All photos of one request.")
    maximum_wait = serializers.IntegerField(help_text="Seconds that `wait` may be.")
    request_rate = serializers.CharField(help_text="Such as 600/min; empty without a limit.")
    upload_rate = serializers.CharField(help_text="Requests that create uploads.")


class MeSerializer(serializers.Serializer):
    """A person, what they have used of what they may, and what is accepted."""

    email = serializers.EmailField()
    quotas = QuotasSerializer()
    limits = LimitsSerializer()
    labels = serializers.ListField(child=serializers.CharField())
    model_version = serializers.CharField()


class MeView(APIView):
    @extend_schema(
        tags=["me"],
        operation_id="me",
        summary=gettext_noop("Who am I, and what may I do"),
        responses={200: MeSerializer},
    )
    def get(self, request: Request) -> Response:
        user = signed_in(request)
        return Response(
            {
                "email": user.email,
                "quotas": dataclasses.asdict(quotas.of(user)),
                "limits": {
                    "formats": list(images.ACCEPTED_FORMATS),
                    "maximum_bytes": settings.PHOTO_MAXIMUM_BYTES,
                    "maximum_pixels": images.MAXIMUM_PIXELS,
                    "maximum_side": images.MAXIMUM_SIDE,
                    "minimum_side": images.MINIMUM_SIDE,
                    "maximum_files": settings.MAXIMUM_FILES_PER_FORM,
                    "maximum_request_bytes": settings.MAXIMUM_BODY_BYTES,
                    "maximum_wait": MAXIMUM_SECONDS,
                    "request_rate": settings.API_RATE,
                    "upload_rate": settings.API_UPLOAD_RATE,
                },
                "labels": LABELS,
                "model_version": active_manifest().version,
            }
        )


class StatisticsOptions(serializers.Serializer):
    start = serializers.DateField(
        required=False, help_text="First day; 30 days before the last one where it is left out."
    )
    end = serializers.DateField(required=False, help_text="Last day; today where it is left out.")
    period = serializers.ChoiceField(choices=statistics.PERIODS, default="day")


def _by_label(name: str, extra: tuple[str, ...] = ()) -> type[serializers.Serializer]:
    """An object with a number for each label."""
    fields: dict[str, Any] = {
        label: serializers.FloatField(min_value=0) for label in (*LABELS, *extra)
    }
    return type(inline_serializer(name, fields))


CountByLabel = _by_label("CountByLabel")
ShareByLabel = _by_label("ShareByLabel")
SaidByLabel = _by_label("SaidByLabel", (Prediction.NOT_A_FACE,))


class CountsSerializer(serializers.Serializer):
    """Faces of uploads, or seconds of live sessions."""

    total = serializers.FloatField(min_value=0)
    counts = CountByLabel()
    shares = ShareByLabel()


class PeriodSerializer(CountsSerializer):
    start = serializers.DateField()
    end = serializers.DateField()


class UploadStatisticsSerializer(CountsSerializer):
    photos = serializers.IntegerField()
    not_a_face = serializers.IntegerField(help_text="Faces of which their owner says so.")
    periods = PeriodSerializer(many=True)


class LiveStatisticsSerializer(CountsSerializer):
    sessions = serializers.IntegerField()
    periods = PeriodSerializer(many=True)


class AgreementSerializer(serializers.Serializer):
    """How often corrections confirm the prediction."""

    corrected = serializers.IntegerField()
    agreed = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)
    matrix = inline_serializer(
        "ConfusionMatrix",
        {label: SaidByLabel() for label in LABELS},
        help_text="Predicted label, then what the owner said, to a number of faces.",
    )


class StatisticsSerializer(serializers.Serializer):
    start = serializers.DateField()
    end = serializers.DateField()
    period = serializers.ChoiceField(choices=statistics.PERIODS)
    labels = serializers.ListField(child=serializers.CharField())
    uploads = UploadStatisticsSerializer()
    live = LiveStatisticsSerializer()
    agreement = AgreementSerializer()


class StatisticsView(APIView):
    @extend_schema(
        tags=["statistics"],
        operation_id="statistics",
        summary=gettext_noop("Count expressions over time"),
        description="From uploads (in faces) and live sessions (in seconds), as their owner "
        "corrected them.",
        parameters=[StatisticsOptions],
        responses={200: StatisticsSerializer, **schema.problems("invalid")},
    )
    def get(self, request: Request) -> Response:
        options = StatisticsOptions(data=request.query_params)
        options.is_valid(raise_exception=True)
        values = options.validated_data
        end = values.get("end") or timezone.localdate()
        try:
            start = values.get("start") or end - timedelta(days=statistics.DEFAULT_DAYS - 1)
            found = statistics.of(signed_in(request), start=start, end=end, period=values["period"])
        except (statistics.StatisticsError, OverflowError) as error:
            raise ValidationError({"start": [str(error)]}) from None
        return Response(found)
