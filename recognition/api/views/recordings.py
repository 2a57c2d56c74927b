"""Recordings: what faces showed over time, and the moments in them that people named."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.utils.urls import replace_query_param
from rest_framework.viewsets import GenericViewSet

from accounts.http import signed_in
from recognition.api import schema
from recognition.api.filters import ListFilter, RecordingFilter
from recognition.api.pagination import CursorPages
from recognition.api.parsers import JSONParser
from recognition.api.recording_serializers import (
    AnswerSerializer,
    MarkerSerializer,
    RecordingDetailSerializer,
    RecordingSerializer,
    SamplesOptions,
    SamplesSerializer,
)
from recognition.models import Marker, Recording, RecordingQuerySet
from recognition.series import answers, deleting, downloads, markers, marking
from recognition.series.pages import read_page

EXAMPLE = OpenApiExample(
    "A rating", value={"time_ms": 12840, "name": "stimulus 3", "value": 2.5}, request_only=True
)
ANSWER_EXAMPLE = OpenApiExample(
    "Neutral for three seconds",
    value={"face": 1, "start_ms": 12000, "end_ms": 15000, "label": "neutral"},
    request_only=True,
)


@extend_schema_view(
    list=extend_schema(
        summary=gettext_noop("List recordings"), description="Newest first, in pages by cursor."
    ),
    retrieve=extend_schema(summary=gettext_noop("Look at a recording")),
    destroy=extend_schema(
        summary=gettext_noop("Delete a recording"),
        description="With samples and markers, for good.",
    ),
)
@extend_schema(tags=["recordings"])
class RecordingViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    """One's own recordings."""

    serializer_class = RecordingSerializer
    pagination_class = CursorPages
    parser_classes = [JSONParser]
    filter_backends = [ListFilter]
    filterset_class = RecordingFilter
    lookup_value_converter = "uuid"
    orders = {"-started_at": ("-started_at", "-id"), "started_at": ("started_at", "id")}

    def get_queryset(self) -> RecordingQuerySet:
        mine = Recording.objects.for_owner(self.request.user)
        return mine.without_stretches() if self.action == "list" else mine

    def get_serializer_class(self) -> type[BaseSerializer[Recording]]:
        return RecordingDetailSerializer if self.action == "retrieve" else RecordingSerializer

    def perform_destroy(self, instance: Recording) -> None:
        deleting.delete(instance, signed_in(self.request))

    def _recording(self) -> Recording:
        """The one that is asked for; the filters of lists do not apply to it."""
        found: Recording = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        return found

    @extend_schema(
        operation_id="recordings_samples_retrieve",
        summary=gettext_noop("Read a recording's samples"),
        description="In the order of time, in pages: follow `next` until it is null.",
        parameters=[SamplesOptions],
        responses={200: SamplesSerializer, **schema.problems("invalid")},
        filters=False,
    )
    @action(detail=True, pagination_class=None)
    def samples(self, request: Request, pk: UUID) -> Response:
        options = SamplesOptions(data=request.query_params)
        options.is_valid(raise_exception=True)
        asked = options.validated_data
        size = asked.pop("page_size")
        page = read_page(self._recording(), size, **asked)
        following = None
        if page.after_ms is not None:
            address = request.build_absolute_uri()
            following = replace_query_param(address, "after_ms", page.after_ms)
        return Response(
            {
                "next": following,
                "samples": [downloads.sample_as_dict(sample) for sample in page.samples],
                "gaps": [downloads.gap_as_dict(gap) for gap in page.gaps],
            }
        )

    @extend_schema(
        operation_id="recordings_markers_list",
        summary=gettext_noop("List a recording's markers"),
        description="In the order of time, in pages by cursor.",
        responses={200: MarkerSerializer(many=True), **schema.problems("invalid")},
        filters=False,
    )
    @action(detail=True)
    def markers(self, request: Request, pk: UUID) -> Response:
        self.orders = {"time_ms": ("time_ms", "id"), "-time_ms": ("-time_ms", "-id")}
        page = self.paginate_queryset(self._recording().markers.all())
        return self.get_paginated_response(MarkerSerializer(page, many=True).data)

    @extend_schema(
        operation_id="recordings_markers_create",
        summary=gettext_noop("Set a marker"),
        request=MarkerSerializer,
        responses={
            201: MarkerSerializer,
            **schema.problems(
                "invalid", "parse_error", "invalid_marker", "too_many_markers", "quota_exceeded",
                "throttled",
            ),
        },
        examples=[EXAMPLE],
    )  # fmt: skip
    @markers.mapping.post
    def add_marker(self, request: Request, pk: UUID) -> Response:
        recording = self._recording()
        data = MarkerSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        marker = marking.add(
            signed_in(request).pk, recording.pk, given["time_ms"], given["name"], given.get("value")
        )
        if marker is None:
            raise Http404
        return Response(MarkerSerializer(marker).data, status=201)

    @extend_schema(
        operation_id="recordings_markers_partial_update",
        summary=gettext_noop("Change a marker"),
        description="What is left out stays as it is.",
        request=MarkerSerializer,
        responses={
            200: MarkerSerializer,
            **schema.problems("invalid", "parse_error", "invalid_marker"),
        },
        examples=[OpenApiExample("Later", value={"time_ms": 13000}, request_only=True)],
    )
    @action(detail=True, methods=["patch"], url_path="markers/<int:marker>", url_name="marker")
    def marker(self, request: Request, pk: UUID, marker: int) -> Response:
        found = self._marker(marker)
        data = MarkerSerializer(found, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        new = {
            name: data.validated_data.get(name, getattr(found, name))
            for name in ("time_ms", "name", "value")
        }
        if not markers.change(found, **new):
            raise Http404
        return Response(MarkerSerializer(found).data)

    @extend_schema(
        operation_id="recordings_markers_destroy",
        summary=gettext_noop("Delete a marker"),
        responses={204: None},
    )
    @marker.mapping.delete
    def delete_marker(self, request: Request, pk: UUID, marker: int) -> Response:
        markers.remove(self._marker(marker))
        return Response(status=204)

    @extend_schema(
        operation_id="recordings_answers_list",
        summary=gettext_noop("List a recording's corrected stretches"),
        description="In the order in which they were given, in pages by cursor.",
        responses={200: AnswerSerializer(many=True), **schema.problems("invalid")},
        filters=False,
    )
    @action(detail=True)
    def answers(self, request: Request, pk: UUID) -> Response:
        self.orders = {"created_at": ("created_at", "id"), "-created_at": ("-created_at", "-id")}
        page = self.paginate_queryset(self._recording().answers.all())
        return self.get_paginated_response(AnswerSerializer(page, many=True).data)

    @extend_schema(
        operation_id="recordings_answers_create",
        summary=gettext_noop("Say what a face showed in a stretch"),
        description="Kept beside the model's values, which stay as they are.",
        request=AnswerSerializer,
        responses={
            201: AnswerSerializer,
            **schema.problems(
                "invalid", "parse_error", "invalid_answer", "too_many_answers", "quota_exceeded",
                "throttled",
            ),
        },
        examples=[ANSWER_EXAMPLE],
    )  # fmt: skip
    @answers.mapping.post
    def add_answer(self, request: Request, pk: UUID) -> Response:
        recording = self._recording()
        data = AnswerSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        answer = marking.answer(recording, signed_in(request), **data.validated_data)
        if answer is None:
            raise Http404
        return Response(AnswerSerializer(answer).data, status=201)

    @extend_schema(
        operation_id="recordings_answers_destroy",
        summary=gettext_noop("Take a correction back"),
        responses={204: None},
    )
    @action(detail=True, methods=["delete"], url_path="answers/<int:answer>", url_name="answer")
    def answer(self, request: Request, pk: UUID, answer: int) -> Response:
        answers.remove(get_object_or_404(self._recording().answers, pk=answer))
        return Response(status=204)

    def _marker(self, number: int) -> Marker:
        found: Marker = get_object_or_404(self._recording().markers, pk=number)
        return found
