"""Uploads through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from recognition import uploads
from recognition.api.serializers import NewUploadSerializer, UploadSerializer
from recognition.models import Upload, UploadQuerySet

if TYPE_CHECKING:
    from accounts.models import User


class NotFailed(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "not_failed"
    default_detail = "Only an upload that failed can be tried again."


class NewestFirst(CursorPagination):
    ordering = ("-created_at", "-id")
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class UploadViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet,
):
    """One's own uploads."""

    serializer_class = UploadSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> UploadQuerySet:
        return Upload.objects.for_owner(self.request.user).prefetch_related("predictions")

    def create(self, request: Request) -> Response:
        """Accept one photo, as the multipart field ``image``."""
        data = NewUploadSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        owner = cast("User", request.user)
        upload = uploads.create_upload(owner, data.validated_data["image"])
        body = self.get_serializer(upload).data
        headers = {"Location": request.build_absolute_uri(f"{request.path}{upload.pk}/")}
        return Response(body, status=status.HTTP_201_CREATED, headers=headers)

    def perform_destroy(self, instance: Upload) -> None:
        owner = cast("User", self.request.user)
        uploads.delete_uploads(Upload.objects.filter(pk=instance.pk), owner)

    @action(detail=True, methods=["post"])
    def retry(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Queue a failed upload once more."""
        upload = self.get_object()
        if not uploads.retry_uploads(Upload.objects.filter(pk=upload.pk)):
            raise NotFailed
        return Response(self.get_serializer(self.get_object()).data, status=202)
