"""Videos: send one, see how far it is, stop it, delete it with what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.conf import settings
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_noop
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import GenericViewSet

from recognition.api import schema
from recognition.api.errors import RequestTooLarge
from recognition.api.filters import ListFilter, VideoFilter
from recognition.api.pagination import CursorPages
from recognition.api.throttles import RequestRate, UploadRate
from recognition.api.video_serializers import NewVideoSerializer, VideoSerializer
from recognition.models import Video, VideoQuerySet
from recognition.series import deleting
from recognition.videos import actions, keeping

if TYPE_CHECKING:
    from accounts.models import User

VIDEO_PROBLEMS = (
    "invalid", "parse_error", "empty", "too_large", "format_not_accepted",
    "unsupported_media_type", "throttled", "quota_exceeded", "storage_full",
)  # fmt: skip


class VideoRenderer(BaseRenderer):
    """Says to the negotiation of content what kept videos are; the view answers by itself."""

    media_type = "video/*"
    format = "video"
    charset = None
    render_style = "binary"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return b""


@extend_schema_view(
    list=extend_schema(
        summary=gettext_noop("List videos"), description="Newest first, in pages by cursor."
    ),
    retrieve=extend_schema(
        summary=gettext_noop("Look at a video"),
        description="How far it is, and why it failed if it did.",
    ),
    destroy=extend_schema(
        summary=gettext_noop("Delete a video"),
        description="With its recording and everything that was seen in it, for good.",
    ),
)
@extend_schema(tags=["videos"])
class VideoViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    """One's own videos."""

    serializer_class = VideoSerializer
    pagination_class = CursorPages
    parser_classes = [MultiPartParser]
    filter_backends = [ListFilter]
    filterset_class = VideoFilter
    lookup_value_converter = "uuid"
    orders = {"-created_at": ("-created_at", "-id"), "created_at": ("created_at", "id")}

    def get_queryset(self) -> VideoQuerySet:
        return Video.objects.for_owner(self.request.user)

    def get_throttles(self) -> list[BaseThrottle]:
        return [RequestRate(), UploadRate()] if self.action == "create" else [RequestRate()]

    @extend_schema(
        summary=gettext_noop("Upload a video"),
        description="As multipart/form-data with the field `video`. It is looked at in the "
        "background, and its file deleted when that has ended, unless `keep` is true; results are "
        "in the recording.",
        request={"multipart/form-data": NewVideoSerializer},
        responses={
            201: OpenApiResponse(VideoSerializer, "Accepted."),
            **schema.problems(*VIDEO_PROBLEMS),
        },
    )
    def create(self, request: Request) -> Response:
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.VIDEO_MAXIMUM_BYTES * 2:
            raise RequestTooLarge
        data = NewVideoSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        video = actions.create_video(
            cast("User", request.user),
            data.validated_data["video"],
            frames_per_second=data.validated_data["frames_per_second"],
            keep=data.validated_data["keep"],
        )
        response = Response(self.get_serializer(video).data, status=201)
        response["Location"] = request.build_absolute_uri(f"{request.path}{video.pk}/")
        return response

    @extend_schema(
        summary=gettext_noop("Stop looking at a video"),
        description="What was seen so far stays, and the file is deleted. One that has ended "
        "stays as it is.",
        request=None,
        responses={200: VideoSerializer},
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: UUID) -> Response:
        actions.cancel(self.get_object(), cast("User", request.user))
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        summary=gettext_noop("Download a kept video"),
        description="Whole, or the part that `Range` asks for, of which an answer may be a "
        "beginning. 410 where the file is not kept.",
        responses={(200, "video/*"): OpenApiTypes.BINARY, (206, "video/*"): OpenApiTypes.BINARY},
    )
    @action(detail=True, methods=["get"], renderer_classes=[VideoRenderer])
    def file(self, request: Request, pk: UUID) -> HttpResponseBase:
        return keeping.as_response(self.get_object(), request._request)

    @extend_schema(
        summary=gettext_noop("Delete a kept video's file"),
        description="What was seen in it stays.",
        responses={204: None},
    )
    @file.mapping.delete
    def delete_file(self, request: Request, pk: UUID) -> Response:
        actions.forget(self.get_object(), cast("User", request.user))
        return Response(status=204)

    def perform_destroy(self, instance: Video) -> None:
        deleting.delete(instance.recording, cast("User", self.request.user))
