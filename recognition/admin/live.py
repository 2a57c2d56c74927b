"""Recordings as an operator sees them: whose and when, not what was seen."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.http import signed_in
from operations.read_only import ReadOnlyAdmin
from recognition.admin.uploads import FilledValuesFilter
from recognition.models import LiveUsage, Recording
from recognition.series import deleting
from recognition.templatetags.recognition import clock


@admin.register(Recording)
class RecordingAdmin(admin.ModelAdmin):
    list_display = ("id", "owner", "source", "started_at", "length", "model_version")
    list_filter = ("source", "started_at", ("model_version", FilledValuesFilter))
    search_fields = ("id", "owner__email")
    list_select_related = ("owner",)
    show_full_result_count = False
    date_hierarchy = "started_at"
    view_on_site = False
    fields = readonly_fields = (
        "id", "owner", "source", "started_at", "ended_at", "length", "model_version",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recording]:
        """People's own: a participant's series belongs to a study, and goes with what it is of."""
        return super().get_queryset(request).exclude(owner=None).defer("samples")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Recording | None = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Recording) -> None:
        deleting.delete(obj, signed_in(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Recording]) -> None:
        for recording in queryset:
            self.delete_model(request, recording)

    @admin.display(description=_("length"))
    def length(self, session: Recording) -> str:
        return clock(session.seconds)


@admin.register(LiveUsage)
class LiveUsageAdmin(ReadOnlyAdmin):
    list_display = ("owner", "day", "time")
    list_display_links = None
    list_filter = ("day",)
    list_select_related = ("owner",)
    search_fields = ("owner__email",)
    date_hierarchy = "day"
    ordering = ("-day", "owner__email")
    fields = ("owner", "day", "time")

    @admin.display(description=_("live"), ordering="seconds")
    def time(self, usage: LiveUsage) -> str:
        return clock(usage.seconds)
