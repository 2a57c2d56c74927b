"""Lists in pages that neither repeat nor skip a row while others are added."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.exceptions import ValidationError as NotValid
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from recognition.dates import read_moment


class CursorPages(CursorPagination):
    """Pages by cursor, in the order that ``?order=`` asks for.

    A view names its orders in ``orders``: what the client says to what the database sorts by.
    The first of them holds where the client says nothing.
    """

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    order_query_param = "order"
    # Rows that share a position, such as photos of one name, are counted through.
    offset_cutoff = 1_000_000

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        orders: dict[str, tuple[str, ...]] = view.orders
        asked = request.query_params.get(self.order_query_param)
        if not asked:
            return next(iter(orders.values()))
        if asked not in orders:
            known = ", ".join(orders)
            raise NotValid({self.order_query_param: [f"Not one of: {known}."]})
        return orders[asked]

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        is_number = asked.isascii() and asked.isdigit() and len(asked) < 9
        if not (is_number and 1 <= int(asked) <= self.max_page_size):
            message = f"Not a number from 1 to {self.max_page_size}."
            raise NotValid({self.page_size_query_param: [message]})
        return int(asked)

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValidationError, ValueError):
            # The position within the cursor is no date: it was not made by us.
            raise NotFound(self.invalid_cursor_message) from None

    def decode_cursor(self, request: Request) -> Any:
        cursor = super().decode_cursor(request)
        # PostgreSQL has no such character.
        if cursor is not None and "\0" in str(cursor.position or ""):
            raise NotFound(self.invalid_cursor_message)
        if cursor is not None and cursor.position and self._is_by_moment():
            # In UTC: databases refuse some moments beyond the calendar, and some offsets.
            position: Any = cursor.position
            moment = read_moment(position)
            if moment is None:
                raise NotFound(self.invalid_cursor_message)
            position = moment.isoformat()
            return cursor._replace(position=position)
        return cursor

    def _is_by_moment(self) -> bool:
        """Whether positions are moments; the names of all fields of moments end alike."""
        return str(self.ordering[0]).endswith("_at")

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] = {
                    "type": "integer", "minimum": 1, "maximum": self.max_page_size,
                    "default": self.page_size,
                }  # fmt: skip
        orders = list(view.orders)
        return [
            *parameters,
            {
                "name": self.order_query_param,
                "required": False,
                "in": "query",
                "description": "Which comes first; `-` puts the newest, or the last name, first.",
                "schema": {"type": "string", "enum": orders, "default": orders[0]},
            },
        ]
