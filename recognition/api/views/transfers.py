"""Videos that are sent part by part: announced, sent, asked about, ended."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext_noop
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import GenericViewSet

from accounts.http import signed_in
from recognition.api import schema
from recognition.api.parsers import JSONParser
from recognition.api.throttles import RequestRate, UploadRate
from recognition.api.video_serializers import (
    NewTransferSerializer,
    TransferOffset,
    TransferSerializer,
    VideoSerializer,
)
from recognition.models import VideoTransfer
from recognition.models.transfers import VideoTransferQuerySet
from recognition.videos import transfers


class PartParser(BaseParser):
    """The bytes of a part, as they are; one more than a part may have shows that it is too long."""

    media_type = "application/octet-stream"

    def parse(self, stream: Any, *args: Any, **kwargs: Any) -> dict[str, bytes]:
        return {"part": stream.read(transfers.PART_BYTES + 1)}


@extend_schema(tags=["videos"])
class VideoTransferViewSet(GenericViewSet):
    """One's own videos on their way."""

    serializer_class = TransferSerializer
    parser_classes = [JSONParser]
    lookup_value_converter = "uuid"
    pagination_class = None

    def get_queryset(self) -> VideoTransferQuerySet:
        return VideoTransfer.objects.for_owner(self.request.user)

    def get_throttles(self) -> list[BaseThrottle]:
        return [RequestRate(), UploadRate()] if self.action == "create" else [RequestRate()]

    @extend_schema(
        summary=gettext_noop("Announce a video that is sent in parts"),
        description="Then send its bytes in order, in parts of at most `part_bytes`, and end it. "
        "Whoever loses the connection asks for `offset` and goes on there, for 24 hours.",
        request=NewTransferSerializer,
        responses={
            201: TransferSerializer,
            **schema.problems(
                "invalid", "parse_error", "empty", "too_large", "too_many_transfers", "throttled",
                "quota_exceeded",
            ),
        },
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        data = NewTransferSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        transfer = transfers.begin(signed_in(request), **data.validated_data)
        response = Response(self.get_serializer(transfer).data, status=201)
        response["Location"] = request.build_absolute_uri(f"{request.path}{transfer.pk}/")
        return response

    @extend_schema(
        summary=gettext_noop("Ask how much of a video has arrived"), responses=TransferSerializer
    )
    def retrieve(self, request: Request, pk: UUID) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        summary=gettext_noop("Delete a video on its way"),
        description="A video that it has become stays.",
        responses={204: None},
    )
    def destroy(self, request: Request, pk: UUID) -> Response:
        transfers.delete(self.get_object())
        return Response(status=204)

    @extend_schema(
        summary=gettext_noop("Send the next part of a video"),
        description="Its bytes are the body. A part that has arrived already is no error.",
        request={"application/octet-stream": OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("offset", int, required=True, description="Of its start.")],
        responses={
            200: TransferSerializer,
            **schema.problems(
                "invalid", "invalid_part", "wrong_offset", "format_not_accepted", "too_large",
                "unsupported_media_type", "storage_full", "throttled",
            ),
        },
    )  # fmt: skip
    @action(detail=True, methods=["put"], parser_classes=[PartParser])
    def part(self, request: Request, pk: UUID) -> Response:
        transfer = self.get_object()
        asked = TransferOffset(data=request.query_params)
        asked.is_valid(raise_exception=True)
        # Without a body there is nothing to parse, and what comes instead is empty.
        part = cast("dict[str, bytes]", request.data).get("part", b"")
        try:
            transfers.add(transfer, asked.validated_data["offset"], part)
        except VideoTransfer.DoesNotExist:
            raise Http404 from None
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        summary=gettext_noop("End a video that was sent in parts"),
        description="Once all has arrived. Asked again, it gives the same video.",
        request=None,
        responses={
            201: OpenApiResponse(VideoSerializer, "Accepted."),
            **schema.problems(
                "incomplete", "format_not_accepted", "quota_exceeded", "storage_full"
            ),
        },
    )
    @action(detail=True, methods=["post"])
    def finish(self, request: Request, pk: UUID) -> Response:
        try:
            video = transfers.finish(self.get_object())
        except VideoTransfer.DoesNotExist:
            raise Http404 from None
        return Response(
            VideoSerializer(video, context=self.get_serializer_context()).data, status=201
        )
