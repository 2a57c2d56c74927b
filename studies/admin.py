"""Studies as an operator sees them: whose, what state, how many; never answers, keys or hashes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from operations.read_only import ReadOnlyAdmin
from studies.models import Block, Condition, Member, Participation, PersonalLink, Study
from studies.planning import deleting


@admin.register(Study)
class StudyAdmin(ReadOnlyAdmin):
    """What a study says of itself; deleting one is the same as on its page."""

    list_display = ("title", "owner", "status", "n_participants", "created_at", "delete_on")
    list_filter = ("status", "created_at", "delete_on")
    list_select_related = ("owner",)
    search_fields = ("id", "title", "owner__email")
    date_hierarchy = "created_at"
    fields = (
        "id", "title", "question", "owner", "responsible_name", "institution", "contact_email",
        "ethics_reference", "status", "n_participants", "withdrew", "most_participants",
        "minimum_age", "consent_text", "information", "created_at", "opened_at", "closed_at",
        "ends_on", "delete_on", "confirmed_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Study]:
        real = Q(participations__is_preview=False)
        found = super().get_queryset(request)
        return found.annotate(n_participants=Count("participations", filter=real))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("studies.delete_study")

    def delete_model(self, request: HttpRequest, obj: Study) -> None:
        deleting.delete(obj, request.user)  # type: ignore[arg-type]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Study]) -> None:
        for study in queryset:
            self.delete_model(request, study)

    @admin.display(description=_("people who took part"))
    def n_participants(self, study: Study) -> int:
        return int(study.n_participants)  # type: ignore[attr-defined]

    @admin.display(description=_("people who withdrew"))
    def withdrew(self, study: Study) -> int:
        return study.n_withdrawn

    @admin.display(description=_("forbidden uses ruled out"))
    def confirmed_at(self, study: Study) -> datetime | None:
        return study.forbidden_uses_confirmed_at


class _OfStudy(ReadOnlyAdmin):
    """Rows that belong to a study and go with it alone."""

    list_select_related = ("study__owner",)
    search_fields = ("study__id", "study__owner__email")

    @admin.display(description=_("study"), ordering="study__title")
    def of_study(self, row: Any) -> Study:
        found: Study = row.study
        return found


@admin.register(Block)
class BlockAdmin(_OfStudy):
    list_display = ("of_study", "number", "name", "kind", "condition", "size")
    list_filter = ("kind",)
    fields = ("of_study", "number", "name", "kind", "condition", "may_move", "seconds", "size")

    @admin.display(description=_("size"), ordering="stored_bytes")
    def size(self, block: Block) -> str:
        return filesizeformat(block.stored_bytes)


@admin.register(Condition)
class ConditionAdmin(_OfStudy):
    list_display = ("of_study", "name")
    fields = ("of_study", "name")


@admin.register(Member)
class MemberAdmin(_OfStudy):
    list_display = ("of_study", "email", "user", "role", "invited_at")
    list_filter = ("role", "invited_at")
    search_fields = ("study__id", "email")
    fields = ("of_study", "email", "user", "role", "invited_at")


@admin.register(PersonalLink)
class PersonalLinkAdmin(_OfStudy):
    list_display = ("of_study", "label")
    fields = ("of_study", "label")


@admin.register(Participation)
class ParticipationAdmin(_OfStudy):
    list_display = ("of_study", "number", "state", "consented_at", "finished_at")
    list_filter = ("state", "is_preview", "consented_at")
    date_hierarchy = "consented_at"
    fields = (
        "of_study", "number", "state", "language", "consented_at",
        "seen_at", "finished_at",
    )  # fmt: skip
