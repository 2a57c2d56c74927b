"""Faces, over all of one's uploads, and what their owner says of them."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.http import Http404
from django.utils.translation import gettext_noop
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.http import signed_in
from recognition.api.filters import ListFilter, PredictionFilter
from recognition.api.pagination import CursorPages
from recognition.api.parsers import JSONParser
from recognition.api.serializers import CorrectionSerializer, PredictionSerializer
from recognition.models import Prediction
from recognition.uploads import corrections


@extend_schema_view(
    list=extend_schema(
        summary=gettext_noop("List faces"),
        description="Of all one's uploads, the newest upload first, in pages by cursor.",
    ),
    retrieve=extend_schema(summary=gettext_noop("Look at a face")),
)
@extend_schema(tags=["predictions"])
class PredictionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """The faces of one's own uploads."""

    serializer_class = PredictionSerializer
    pagination_class = CursorPages
    parser_classes = [JSONParser]
    filter_backends = [ListFilter]
    filterset_class = PredictionFilter
    lookup_value_converter = "int"
    orders = {"-uploaded_at": ("-uploaded_at", "-id"), "uploaded_at": ("uploaded_at", "id")}

    def get_queryset(self) -> Any:
        own = Prediction.objects.for_owner(self.request.user).select_related("upload")
        return own.annotate(uploaded_at=F("upload__created_at"))

    @extend_schema(
        summary=gettext_noop("Say what a face shows"),
        description="The prediction stays as it is; the history, the statistics and the exports "
        "go by the correction. An empty correction takes it back.",
        request=CorrectionSerializer,
        responses={200: PredictionSerializer},
        examples=[
            OpenApiExample("It is sad", value={"correction": "sad"}, request_only=True),
            OpenApiExample("Not a face", value={"correction": "not_a_face"}, request_only=True),
            OpenApiExample("Taken back", value={"correction": ""}, request_only=True),
        ],
    )
    def partial_update(self, request: Request, pk: int) -> Response:
        prediction = self.get_object()
        data = CorrectionSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        actor = signed_in(request)
        try:
            corrections.correct(prediction, data.validated_data["correction"], actor)
        except corrections.CorrectionError as error:
            raise ValidationError({"correction": [str(error)]}) from None
        except Prediction.DoesNotExist:
            raise Http404 from None
        return Response(self.get_serializer(prediction).data)
