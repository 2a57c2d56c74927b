"""A person's webhooks, and the log of what was sent to them."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_noop
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.http import signed_in
from recognition.api import schema
from recognition.api.pagination import CursorPages
from recognition.api.parsers import JSONParser
from recognition.api.serializers import (
    DeliverySerializer,
    NewWebhookSerializer,
    WebhookSerializer,
    WebhookWithSecretSerializer,
)
from recognition.models import Webhook, WebhookQuerySet
from recognition.webhooks import hooks


@extend_schema_view(
    list=extend_schema(summary=gettext_noop("List one's webhooks")),
    retrieve=extend_schema(summary=gettext_noop("Look at a webhook")),
    destroy=extend_schema(
        summary=gettext_noop("Delete a webhook"),
        description="With its log and all that waits to be sent.",
    ),
)
@extend_schema(tags=["webhooks"])
class WebhookViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, GenericViewSet
):
    """One's own webhooks."""

    serializer_class = WebhookSerializer
    pagination_class = CursorPages
    parser_classes = [JSONParser]
    lookup_value_converter = "uuid"
    orders = {"created_at": ("created_at", "id"), "-created_at": ("-created_at", "-id")}

    def get_queryset(self) -> WebhookQuerySet:
        return Webhook.objects.for_owner(self.request.user)

    @extend_schema(
        summary=gettext_noop("Add a webhook"),
        description="The answer holds the secret, which is not shown again.",
        request=NewWebhookSerializer,
        responses={
            201: WebhookWithSecretSerializer,
            **schema.problems(
                "invalid", "parse_error", "invalid_address", "https_required",
                "address_not_found", "private_address", "too_many_webhooks",
            ),
        },
        examples=[
            OpenApiExample(
                "An address", value={"url": "https://example.org/visage"}, request_only=True
            )
        ],
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        data = NewWebhookSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        webhook = hooks.add(signed_in(request), data.validated_data["url"])
        return Response(WebhookWithSecretSerializer(webhook).data, status=201)

    @extend_schema(
        summary=gettext_noop("Switch a webhook on or off"),
        description="What waits to be sent is given up when it is switched off.",
        request=WebhookSerializer,
        responses={200: WebhookSerializer},
        examples=[OpenApiExample("Off", value={"is_active": False}, request_only=True)],
    )
    def partial_update(self, request: Request, pk: UUID) -> Response:
        webhook = self.get_object()
        data = self.get_serializer(webhook, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        if "is_active" in data.validated_data:
            hooks.switch(webhook, on=data.validated_data["is_active"])
        return Response(self.get_serializer(webhook).data)

    def perform_destroy(self, instance: Webhook) -> None:
        hooks.delete(instance)

    @extend_schema(
        summary=gettext_noop("Send a test message"),
        description="The event `ping`, soon; the log tells how it went.",
        request=None,
        responses={202: DeliverySerializer},
    )
    @action(detail=True, methods=["post"])
    def ping(self, request: Request, pk: UUID) -> Response:
        return Response(DeliverySerializer(hooks.ping(self.get_object())).data, status=202)

    @extend_schema(
        operation_id="webhooks_deliveries_list",
        summary=gettext_noop("List what was sent"),
        description="Newest first, in pages by cursor; kept for 30 days.",
        responses={200: DeliverySerializer(many=True), **schema.problems("invalid", "not_found")},
    )
    @action(detail=True, pagination_class=CursorPages)
    def deliveries(self, request: Request, pk: UUID) -> Response:
        self.orders = {"-created_at": ("-created_at", "-id"), "created_at": ("created_at", "id")}
        page = self.paginate_queryset(self.get_object().deliveries.all())
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)
