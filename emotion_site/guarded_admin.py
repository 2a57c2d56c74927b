"""What every page of the administration has in common: lists are not asked what they do not show.

Django lets whoever may see a list filter it by any field of its rows, also by those that no page
shows: 574 requests with ``?session_key__startswith=`` read a superuser's session.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin.filters import SimpleListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

if TYPE_CHECKING:
    from accounts.models import User

#: What may follow a field's name: what the filters and the hierarchy of dates make themselves.
LOOKUPS = frozenset(
    {"exact", "in", "isnull", "isempty", "gt", "gte", "lt", "lte", "year", "month", "day",
     "id", "pk"}
)  # fmt: skip


class GuardedAdmin(admin.ModelAdmin):
    """Rows are looked up by `list_filter`, `date_hierarchy` and primary key, and by no other field.

    `VisageAdminSite` puts it under every class that is registered, third parties' included.
    """

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        if lookup in self._parameters(request):
            return True
        for name in self._names(request):
            rest = lookup.removeprefix(name)
            if rest != lookup and set(rest.split("__")[1:]) <= LOOKUPS and rest[:2] in {"", "__"}:
                return True
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; what is no key of a row is refused, and not looked for."""
        for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.clean(chosen, None)
            except ValidationError:
                raise BadRequest("A row that was chosen has no such key.") from None
        return super().changelist_view(request, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form of one row, which nothing that is sent turns into the form of a new one."""
        if object_id is not None and not self.save_as and "_saveasnew" in request.POST:
            raise BadRequest("Rows are not copied here.")
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The rows that are deleted, and nothing of what goes along.

        That is people's, and shown on no other page here; of an account it may be very much. It
        needs no permission of its own.
        """
        name, names = str(self.opts.verbose_name), str(self.opts.verbose_name_plural)
        chosen = list(objs)
        may = all(self.has_delete_permission(request, row) for row in chosen)
        listed = [f"{capfirst(name)}: {row}" for row in chosen]
        return listed, {names: len(chosen)}, set() if may else {name}, []

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self._log(request, [obj], ADDITION, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self._log(request, [obj], CHANGE, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return self._log(request, queryset, DELETION, "")

    def _log(self, request: HttpRequest, rows: Any, flag: int, message: Any) -> None:
        """Write down who changed which row, by its number and not by what it is called.

        Django's log repeats e-mail addresses, and would keep them when their people are deleted.
        """
        content_type = ContentType.objects.get_for_model(self.model, for_concrete_model=False)
        text = message if isinstance(message, str) else json.dumps(message)
        LogEntry.objects.bulk_create(
            LogEntry(
                user=cast("User", request.user),
                content_type=content_type,
                object_id=row.pk,
                object_repr=f"{self.opts.model_name} {row.pk}"[:200],
                action_flag=flag,
                change_message=text,
            )
            for row in rows
        )

    def _filters(self, request: HttpRequest | None) -> Any:
        return self.list_filter if request is None else self.get_list_filter(request)

    def _parameters(self, request: HttpRequest | None) -> Iterator[str]:
        for entry in self._filters(request):
            if isinstance(entry, type) and issubclass(entry, SimpleListFilter):
                yield str(entry.parameter_name)

    def _names(self, request: HttpRequest | None) -> Iterator[str]:
        yield "pk"
        yield self.opts.pk.name
        if self.date_hierarchy:
            yield self.date_hierarchy
        for entry in self._filters(request):
            if isinstance(entry, str):
                yield entry
            elif isinstance(entry, (tuple, list)):
                yield entry[0]
