"""Uploads: create one or many, list, look at, try again, delete."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Max, OuterRef, Subquery
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.viewsets import GenericViewSet

from accounts.http import signed_in
from operations.private_files import private_file
from recognition.api import idempotency, schema
from recognition.api.errors import (
    Conflict,
    NotFailed,
    PhotoDeleted,
    Problem,
    ProblemResponse,
    RequestTooLarge,
    problem_of,
)
from recognition.api.filters import ListFilter, UploadFilter
from recognition.api.idempotency import Answer, Entry
from recognition.api.pagination import CursorPages
from recognition.api.serializers import (
    NewUploadOptions,
    NewUploadsSerializer,
    UploadResultsSerializer,
    UploadSerializer,
)
from recognition.api.throttles import RequestRate, UploadRate
from recognition.api.waiting import (
    Pending,
    WaitingResponse,
    WaitMixin,
    WaitOptions,
    seconds_to_wait,
)
from recognition.models import Prediction, Upload, UploadQuerySet
from recognition.uploads import actions
from recognition.vision import images
from recognition.vision.decoding.pool import Patience

if TYPE_CHECKING:
    from accounts.models import User

PHOTO_PROBLEMS = (
    "invalid", "parse_error", "too_many_files", "empty", "damaged", "too_small", "invalid_image",
    "duplicate", "request_in_progress", "deleted_since", "too_large",
    "format_not_accepted", "unsupported_media_type", "idempotency_key_reused", "throttled",
    "quota_exceeded",
    "storage_full", "image_too_costly", "busy",
)  # fmt: skip

CREATED = PolymorphicProxySerializer(
    component_name="CreatedUploads",
    serializers=[UploadSerializer, UploadResultsSerializer],
    resource_type_field_name=None,
)


class UploadPages(CursorPages):
    """As many uploads as are asked for, or fewer where photos have hundreds of faces."""

    #: Of a page's photos together, where more than the usual number of them is asked for: three
    #: kilobytes each until the answer is sent.
    most_faces = 5_000

    def get_page_size(self, request: Request) -> int:
        asked = super().get_page_size(request)
        if asked <= self.page_size:
            return asked
        mine = Prediction.objects.filter(upload__owner=signed_in(request))
        of_one = 1 + (mine.aggregate(last=Max("index"))["last"] or 0)
        return max(self.page_size, min(asked, self.most_faces // of_one))


class Duplicate(Conflict):
    default_code = "duplicate"
    default_detail = gettext_lazy("You’ve already uploaded this file.")

    def __init__(self, earlier: UUID) -> None:
        super().__init__()
        self.extra = {"duplicate_of": str(earlier)}


class JpegRenderer(BaseRenderer):
    """Gives bytes as they are; refusals render themselves."""

    media_type = "image/jpeg"
    format = "jpeg"
    charset = None
    render_style = "binary"

    def render(self, data: bytes, *args: Any, **kwargs: Any) -> bytes:
        return data


@extend_schema_view(
    list=extend_schema(
        summary=gettext_noop("List one's uploads"),
        description="Newest first, in pages by cursor. Where photos have hundreds of faces, a page "
        "may have fewer than are asked for: `next` leads on.",
    ),
    destroy=extend_schema(
        summary=gettext_noop("Delete an upload"),
        description="The photo and everything that was seen in it, at once and for good: programs "
        "have no trash. It deletes what its owner moved to the trash on a page as well, which is "
        "otherwise not there for the API.",
    ),
)
@extend_schema(tags=["uploads"])
class UploadViewSet(
    WaitMixin,
    mixins.ListModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet,
):
    """One's own uploads."""

    serializer_class = UploadSerializer
    pagination_class = UploadPages
    parser_classes = [MultiPartParser]
    filter_backends = [ListFilter]
    filterset_class = UploadFilter
    lookup_value_converter = "uuid"
    orders = {
        "-created_at": ("-created_at", "-id"),
        "created_at": ("created_at", "id"),
        "name": ("name", "id"),
        "-name": ("-name", "-id"),
    }

    def get_queryset(self) -> UploadQuerySet:
        # What is deleted for good may be in the trash; for all else it is not there.
        uploads = Upload.with_trash if self.action == "destroy" else Upload.objects
        own = uploads.for_owner(self.request.user)
        same_file = Upload.objects.filter(
            owner=OuterRef("owner"),
            sha256=OuterRef("sha256"),
            created_at__lt=OuterRef("created_at"),
        )
        earliest = Subquery(same_file.order_by("created_at").values("pk")[:1])
        return own.annotate(duplicate_of=earliest).prefetch_related("predictions")

    def get_throttles(self) -> list[BaseThrottle]:
        return [RequestRate(), UploadRate()] if self.action == "create" else [RequestRate()]

    @extend_schema(
        summary=gettext_noop("Upload one photo or several"),
        description="As multipart/form-data with the field `image`, once for each photo. One "
        "photo is answered with its upload, or with a problem that says why it was refused. "
        "Several are answered with one result for each, in their order; the status is 207 where "
        "any of them was refused. An answer of 202 means that the time of `wait` was over first.",
        request={"multipart/form-data": NewUploadsSerializer},
        parameters=[
            NewUploadOptions,
            schema.IDEMPOTENCY_KEY,
            schema.IDEMPOTENCY_REPLAYED,
            schema.LOCATION,
        ],
        responses={
            201: OpenApiResponse(CREATED, "All were accepted."),
            202: OpenApiResponse(CREATED, "Accepted, but not finished within `wait`."),
            207: OpenApiResponse(UploadResultsSerializer, "Of several, some were refused."),
            **schema.problems(*PHOTO_PROBLEMS),
        },
    )
    def create(self, request: Request) -> Response:
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.MAXIMUM_BODY_BYTES:
            raise RequestTooLarge
        options = NewUploadOptions(data=request.query_params)
        options.is_valid(raise_exception=True)
        data = NewUploadsSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        files: list[UploadedFile] = data.validated_data["image"]
        hashes = [_sha256(file) for file in files]
        names = [actions.clean_name(file.name or "") for file in files]
        duplicates = options.validated_data["duplicates"]
        owner = signed_in(request)
        answer = idempotency.answer_for(
            owner,
            request.headers.get(idempotency.HEADER),
            idempotency.fingerprint(request.path, duplicates, names, hashes),
        )
        is_repeated = answer.is_complete
        if not is_repeated:
            self._accept(owner, files, hashes, answer, reject=duplicates == "reject")
        response = self._answer(names, answer.entries, options.validated_data["wait"])
        if not is_repeated:
            answer.complete(response.status_code)
        elif response.status_code < 300:
            response["Idempotency-Replayed"] = "true"
        return response

    def _accept(
        self,
        owner: User,
        files: list[UploadedFile],
        hashes: list[str],
        answer: Answer,
        reject: bool,
    ) -> None:
        """Store what is acceptable; goes on where an earlier attempt at the request stopped."""
        own = Upload.objects.for_owner(owner)
        patience = Patience()
        try:
            for number in range(len(answer.entries), len(files)):
                try:
                    if reject:
                        _refuse_duplicate(own.filter(sha256=hashes[number]))
                    actions.create_upload(
                        owner,
                        files[number],
                        of_batch=len(files) > 1,
                        patience=patience,
                        saved=lambda upload: answer.add({"id": str(upload.pk)}),
                    )
                except Exception as error:
                    problem = problem_of(error)
                    if problem is None or isinstance(error, idempotency.RequestInProgress):
                        raise
                    if isinstance(error, actions.Busy) and answer.is_kept:
                        raise  # So that the repetition goes on from here.
                    answer.add({"error": problem.as_dict(self.request), "headers": problem.headers})
        except BaseException:
            answer.abandon()
            raise

    def _answer(self, names: list[str], entries: list[Entry], wait: int) -> Response:
        """The response to what became of each photo, with the rows as they are now."""
        ids = [UUID(entry["id"]) for entry in entries if "id" in entry]
        found = {upload.pk: upload for upload in self.get_queryset().filter(pk__in=ids)}
        results = [
            self._result(name, entry, found) for name, entry in zip(names, entries, strict=True)
        ]
        refused = sum(result["error"] is not None for result in results)
        if len(results) == 1 and refused:
            body = results[0]["error"]
            return ProblemResponse(body, body["status"], headers=entries[0].get("headers"))
        if len(results) == 1:
            response = WaitingResponse(results[0]["upload"], status=201)
            response["Location"] = self.request.build_absolute_uri(f"{self.request.path}{ids[0]}/")
        else:
            body = {"accepted": len(results) - refused, "refused": refused, "results": results}
            response = WaitingResponse(body, status=207 if refused else 201)

        def refresh() -> None:
            later = self._answer(names, entries, 0)
            response.data, response.status_code = later.data, later.status_code
            if any(not upload.is_finished for upload in self.get_queryset().filter(pk__in=ids)):
                response.status_code = 202

        if wait and found:
            response.pending = Pending(signed_in(self.request).pk, list(found), wait, refresh)
        return response

    def _result(self, name: str, entry: Entry, found: dict[UUID, Upload]) -> dict[str, Any]:
        if "error" in entry:
            return {"name": name, "upload": None, "error": entry["error"]}
        upload = found.get(UUID(entry["id"]))
        if upload is None:
            gone = Problem(410, "deleted_since", _("This upload has since been deleted."))
            return {"name": name, "upload": None, "error": gone.as_dict(self.request)}
        return {"name": name, "upload": self.get_serializer(upload).data, "error": None}

    @extend_schema(
        summary=gettext_noop("Look at an upload"),
        description="With `wait`, the answer comes when it is finished, or as 202 when the time is "
        "over.",
        parameters=[WaitOptions],
        responses={
            200: UploadSerializer,
            202: OpenApiResponse(UploadSerializer, "Not finished within `wait`."),
            **schema.problems("invalid"),
        },
    )
    def retrieve(self, request: Request, pk: UUID) -> Response:
        wait = seconds_to_wait(request)
        response = WaitingResponse(self.get_serializer(self.get_object()).data)

        def refresh() -> None:
            upload = self.get_queryset().filter(pk=pk).first()
            if upload is not None:
                response.data = self.get_serializer(upload).data
                response.status_code = 200 if upload.is_finished else 202

        response.pending = Pending(signed_in(request).pk, [pk], wait, refresh)
        return response

    def perform_destroy(self, instance: Upload) -> None:
        owner = signed_in(self.request)
        actions.delete_uploads(Upload.with_trash.filter(pk=instance.pk), owner)

    @extend_schema(
        summary=gettext_noop("Try a failed upload again"),
        request=None,
        responses={202: UploadSerializer, **schema.problems("not_failed")},
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: UUID) -> Response:
        upload = self.get_object()
        if not actions.retry_uploads(Upload.objects.filter(pk=upload.pk)):
            raise NotFailed
        return Response(self.get_serializer(self.get_object()).data, status=202)

    @extend_schema(
        summary=gettext_noop("Fetch the photo"),
        description="Upright, as JPEG without metadata. It may be smaller than `width` × `height`, "
        "in whose pixels boxes are.",
        responses={
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            **schema.problems("photo_deleted"),
        },
    )
    @action(detail=True, renderer_classes=[JpegRenderer])
    def image(self, request: Request, pk: UUID) -> HttpResponseBase:
        upload = self.get_object()
        if not upload.image:
            raise PhotoDeleted
        return private_file(upload.image)

    @extend_schema(
        summary=gettext_noop("Fetch a small picture of the photo"),
        description=f"JPEG of at most {images.THUMBNAIL_SIDE} pixels a side.",
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY},
    )
    @action(detail=True, renderer_classes=[JpegRenderer])
    def thumbnail(self, request: Request, pk: UUID) -> HttpResponseBase:
        upload = self.get_object()
        if not upload.thumbnail:
            return Response(images.blank(upload.width, upload.height), content_type="image/jpeg")
        return private_file(upload.thumbnail)


def _refuse_duplicate(same_file: UploadQuerySet) -> None:
    earlier = same_file.order_by("created_at").values_list("pk", flat=True).first()
    if earlier is not None:
        raise Duplicate(earlier)


def _sha256(file: UploadedFile) -> str:
    """Of the content; of what is too large to be accepted, only of its size."""
    if (file.size or 0) > settings.PHOTO_MAXIMUM_BYTES:
        return hashlib.sha256(f"{file.size} bytes".encode()).hexdigest()
    return actions.content_sha256(file)
