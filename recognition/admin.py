from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from recognition import uploads
from recognition.models import LiveSession, Prediction, Upload


class PredictionInline(admin.TabularInline):
    model = Prediction
    extra = 0
    can_delete = False
    fields = readonly_fields = (
        "index", "label", "confidence", "uncertain", "rejected", "roll",
        "x", "y", "width", "height",
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        return False


@admin.register(Upload)
class UploadAdmin(admin.ModelAdmin):
    """Uploads as an operator sees them: their state, never the photo."""

    list_display = ("id", "owner", "status", "attempts", "created_at", "finished_at")
    list_filter = ("status", "created_at", "model_version")
    search_fields = ("id", "owner__email")
    list_select_related = ("owner",)
    date_hierarchy = "created_at"
    inlines = (PredictionInline,)
    actions = ("retry",)
    fields = readonly_fields = (
        "id", "owner", "status", "error_code", "error_message", "attempts", "width", "height",
        "byte_size", "model_version", "created_at", "finished_at",
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description=_("Try failed uploads again"))
    def retry(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        count = uploads.retry_uploads(Upload.objects.filter(pk__in=queryset.values("pk")))
        self.message_user(request, _("%(count)d uploads queued again.") % {"count": count})


@admin.register(LiveSession)
class LiveSessionAdmin(admin.ModelAdmin):
    """Recorded sessions as an operator sees them: whose and when, not what was seen."""

    list_display = ("id", "owner", "started_at", "ended_at", "model_version")
    list_filter = ("started_at", "model_version")
    search_fields = ("id", "owner__email")
    list_select_related = ("owner",)
    date_hierarchy = "started_at"
    fields = readonly_fields = ("id", "owner", "started_at", "ended_at", "model_version")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
