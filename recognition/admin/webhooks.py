"""Webhooks and how their messages went. Keys, paths and what was sent are not shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import audit
from accounts.http import signed_in
from operations.read_only import ReadOnlyAdmin
from recognition.models import Webhook, WebhookDelivery, WebhookQuerySet
from recognition.webhooks import deliveries
from recognition.wording import stored_text


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    list_display = ("host", "owner", "is_active", "created_at")
    list_filter = ("is_active", "created_at")
    list_select_related = ("owner",)
    search_fields = ("owner__email", "id")
    actions = ("switch_off",)
    fields = ("id", "owner", "host", "is_active", "created_at")

    def has_switch_off_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("recognition.change_webhook")

    @admin.action(description=_("Turn off"), permissions=["switch_off"])
    def switch_off(self, request: HttpRequest, queryset: WebhookQuerySet) -> None:
        for webhook in queryset.filter(is_active=True).select_related("owner"):
            target = f"webhook:{webhook.pk}"
            audit.record("webhook_turned_off_by_staff", webhook.owner, signed_in(request), target)
        count = deliveries.switch_off(queryset)
        text = ngettext("%(count)d webhook turned off.", "%(count)d webhooks turned off.", count)
        self.message_user(request, text % {"count": count})


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at", "event", "host", "owner", "attempts", "status_code", "failure",
        "delivered_at", "next_attempt",
    )  # fmt: skip
    list_filter = (("delivered_at", admin.EmptyFieldListFilter), "event", "status_code")
    list_select_related = ("webhook__owner",)
    search_fields = ("id", "webhook__id", "webhook__owner__email")
    date_hierarchy = "created_at"
    fields = (
        "id", "event", "host", "owner", "attempts", "status_code", "failure", "created_at",
        "delivered_at", "next_attempt",
    )  # fmt: skip

    @admin.display(description=_("next attempt"), ordering="queued_at")
    def next_attempt(self, delivery: WebhookDelivery) -> datetime | None:
        return delivery.next_attempt_at

    @admin.display(description=_("error"), ordering="error")
    def failure(self, delivery: WebhookDelivery) -> str:
        return stored_text(delivery.error)

    @admin.display(description=_("host"))
    def host(self, delivery: WebhookDelivery) -> str:
        return delivery.webhook.host

    @admin.display(description=_("owner"), ordering="webhook__owner__email")
    def owner(self, delivery: WebhookDelivery) -> Any:
        return delivery.webhook.owner
