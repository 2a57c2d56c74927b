"""Exports of people's data: that they were made, never what is in them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from operations.read_only import ReadOnlyAdmin
from recognition.models import DataExport


@admin.register(DataExport)
class DataExportAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "owner", "status", "percent", "finished_at", "expires_at")
    list_filter = ("status", "created_at")
    list_select_related = ("owner",)
    search_fields = ("id", "owner__email")
    date_hierarchy = "created_at"
    fields = (
        "id", "owner", "status", "percent", "attempts", "created_at", "finished_at", "expires_at",
    )  # fmt: skip

    @admin.display(description=_("progress"), ordering="progress")
    def percent(self, export: DataExport) -> str:
        return f"{export.progress:.0%}"
