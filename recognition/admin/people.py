"""People with what they have used, and how they are deleted: as if they did it themselves."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC
from typing import Any

from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import BigIntegerField, Count, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat, floatformat
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from accounts.admin import UserAdmin
from accounts.http import signed_in
from accounts.models import User
from recognition import quotas
from recognition.models import DataExport, LiveUsage, Prediction, Recording, Upload, Video
from recognition.personal_data import account_deletion
from recognition.templatetags.recognition import clock

# The person's own page has no place for what belongs to recognition, which accounts know
# nothing of: so it is added from here.
admin.site.unregister(User)


@admin.register(User)
class UserWithUsageAdmin(UserAdmin):
    list_display = (
        "email", "is_active", "is_staff", "uploads", "stored", "live_today", "quotas",
        "date_joined", "last_login",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        own = Upload.with_trash.filter(owner=OuterRef("pk")).order_by().values("owner")
        faces = Prediction.with_trash.filter(upload__owner=OuterRef("pk")).order_by()
        exports = DataExport.objects.filter(owner=OuterRef("pk")).order_by()
        recordings = Recording.objects.filter(owner=OuterRef("pk")).order_by()
        videos = Video.objects.filter(owner=OuterRef("pk")).order_by()
        today = timezone.now().astimezone(UTC).date()
        live = LiveUsage.objects.filter(owner=OuterRef("pk"), day=today)
        return (
            super()
            .get_queryset(request)
            .annotate(
                n_uploads=_sum(own, Count("pk")),
                # As `quotas.stored_bytes` has it.
                n_bytes=_sum(own, Sum("stored_bytes"))
                + _sum(faces.values("upload__owner"), Sum("heat_map_bytes"))
                + _sum(recordings.values("owner"), Sum("stored_bytes"))
                + _sum(videos.values("owner"), Sum("stored_bytes"))
                + _sum(exports.values("owner"), Sum("stored_bytes")),
                live_seconds=Subquery(live.values("seconds")[:1]),
            )
        )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        return (
            *super().get_readonly_fields(request, obj),
            "uploads", "stored", "live_today", "photo_retention_days", "in_force",
        )  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        fields = ("uploads", "stored", "live_today", "photo_retention_days")
        name, own = fieldsets[2]
        own_quotas = (name, {**own, "fields": (*own["fields"], "in_force")})
        return (*fieldsets[:2], (_("Usage"), {"fields": fields}), own_quotas, *fieldsets[3:])

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        with suppress(quotas.AccountClosed):
            account_deletion.close(obj, actor=signed_in(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)

    @admin.display(description=_("uploads"), ordering="n_uploads")
    def uploads(self, user: User) -> int:
        return int(user.n_uploads)  # type: ignore[attr-defined]

    @admin.display(description=_("stored"), ordering="n_bytes")
    def stored(self, user: User) -> str:
        return filesizeformat(user.n_bytes)  # type: ignore[attr-defined]

    @admin.display(description=_("live use today"), ordering="live_seconds")
    def live_today(self, user: User) -> str:
        return clock(user.live_seconds or 0)  # type: ignore[attr-defined]

    @admin.display(description=_("own quotas"))
    def quotas(self, user: User) -> str:
        """What differs from the site's default."""
        parts = []
        if user.quota_uploads_a_day is not None:
            parts.append(_("%(count)d uploads per day") % {"count": user.quota_uploads_a_day})
        if user.quota_bytes is not None:
            parts.append(filesizeformat(user.quota_bytes))
        if user.quota_live_minutes_a_day is not None:
            parts.append(_("%(count)d live minutes") % {"count": user.quota_live_minutes_a_day})
        return ", ".join(map(str, parts))

    @admin.display(description=_("effective quota"))
    def in_force(self, user: User) -> str:
        """What counts for somebody: their own quota, else the site's."""
        in_force = quotas.of(user)
        minutes = in_force.live_seconds_today.limit
        rows = (
            (
                _("uploads per day"),
                in_force.uploads_today.limit,
                user.quota_uploads_a_day,
                intcomma,
            ),
            (_("storage"), in_force.bytes.limit, user.quota_bytes, filesizeformat),
            (
                _("live minutes per day"),
                None if minutes is None else minutes / 60,
                user.quota_live_minutes_a_day,
                floatformat,
            ),
        )
        return format_html_join(
            "",
            "<div>{}: {}</div>",
            (
                (
                    name,
                    _("no limit")
                    if limit is None
                    else shown(limit)
                    if own is not None
                    else _("%(limit)s, the site's default") % {"limit": shown(limit)},
                )
                for name, limit, own, shown in rows
            ),
        )


def _sum(rows: QuerySet[Any], aggregate: Any) -> Coalesce:
    """An aggregate of a person's rows; 0 where there are none."""
    total = rows.annotate(total=aggregate).values("total")
    return Coalesce(Subquery(total, output_field=BigIntegerField()), 0)
