"""Recorded sessions of the live page, as programs asked for them before there were recordings."""

from __future__ import annotations

from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from accounts.http import signed_in
from recognition.api.filters import ListFilter, RecordingFilter
from recognition.api.pagination import CursorPages
from recognition.api.serializers import LiveSessionDetailSerializer, LiveSessionSerializer
from recognition.models import Recording, RecordingQuerySet
from recognition.series import deleting


@extend_schema_view(
    list=extend_schema(
        summary=gettext_noop("List recorded sessions"),
        description="Newest first, in pages by cursor. Use `/recordings/`, which has more.",
    ),
    retrieve=extend_schema(summary=gettext_noop("Look at a recorded session")),
    destroy=extend_schema(
        summary=gettext_noop("Delete a recorded session"), description="For good."
    ),
)
@extend_schema(tags=["live sessions"], deprecated=True)
class LiveSessionViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    """One's own recorded sessions."""

    serializer_class = LiveSessionSerializer
    pagination_class = CursorPages
    filter_backends = [ListFilter]
    filterset_class = RecordingFilter
    lookup_value_converter = "uuid"
    orders = {"-started_at": ("-started_at", "-id"), "started_at": ("started_at", "id")}

    def get_queryset(self) -> RecordingQuerySet:
        mine = Recording.objects.for_owner(self.request.user)
        return mine.without_stretches() if self.action == "list" else mine

    def perform_destroy(self, instance: Recording) -> None:
        deleting.delete(instance, signed_in(self.request))

    def get_serializer_class(self) -> type[BaseSerializer[Recording]]:
        return LiveSessionDetailSerializer if self.action == "retrieve" else LiveSessionSerializer
