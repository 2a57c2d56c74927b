"""The description of the interface: what every operation takes, gives and refuses.

Success is described at each view; what can go wrong follows from what an operation is, and is
written down here once.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework.permissions import AllowAny

from recognition.api.errors import CONTENT_TYPE, KINDS
from recognition.api.serializers import ProblemSerializer

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
BODIES = {"POST", "PUT", "PATCH"}

#: Header of an answer that came too often.
RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}

#: The generator loads its classes when they are first needed, and fails where two threads do so.
_describing = threading.Lock()


def describe() -> dict[str, Any]:
    """The whole description, in the language of the thread; it takes up to a second."""
    with _describing:
        described: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return described


def problem(codes: Sequence[str], description: str = "") -> OpenApiResponse:
    """A documented refusal with one of `codes`, each with an example."""
    return OpenApiResponse(
        ProblemSerializer,
        description or " ".join(f"`{code}`" for code in codes),
        examples=[_example(code) for code in codes],
    )


def problems(*codes: str) -> dict[tuple[int, str], OpenApiResponse]:
    """The refusals with `codes`, by status, for ``@extend_schema(responses=…)``."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(KINDS[code].status, []).append(code)
    return {(status, CONTENT_TYPE): problem(found) for status, found in by_status.items()}


def _example(code: str) -> OpenApiExample:
    kind = KINDS[code]
    value = {
        "type": f"https://visage.example/api/v1/errors/#{code}",
        "title": str(kind.title),
        "status": kind.status,
        "code": code,
        "detail": f"{kind.title}.",
    }
    return OpenApiExample(code, value=value, response_only=True, status_codes=[str(kind.status)])


class ApiSchema(AutoSchema):
    """Adds the refusals that follow from what an operation is."""

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status, codes in self._usual_problems().items():
            if str(status) not in bodies:
                bodies[str(status)] = self._get_response_for_code(
                    problem(codes), str(status), [CONTENT_TYPE], direction
                )
        if "429" in bodies:
            bodies["429"].setdefault("headers", {}).update(RETRY_AFTER)
        return dict(sorted(bodies.items()))

    def _usual_problems(self) -> dict[int, list[str]]:
        view = self.view
        usual: dict[int, list[str]] = {406: ["not_acceptable"], 429: ["throttled"]}
        if AllowAny not in view.permission_classes:
            usual[401] = ["not_authenticated", "token_invalid", "token_expired"]
            usual[403] = ["consent_required", "token_scope"]
            if self.method in UNSAFE:
                usual[403] += ["permission_denied"]
        if "{" in self.path:
            usual[404] = ["not_found"]
        if getattr(view, "action", "") == "list":
            usual[400] = ["invalid"]
            usual[404] = ["not_found"]
        if self.method in BODIES and self.get_request_serializer() is not None:
            usual[400] = ["invalid", "parse_error"]
            usual[415] = ["unsupported_media_type"]
        return usual


class TokenScheme(OpenApiAuthenticationExtension):
    """``Authorization: Bearer visage_…``."""

    target_class = "accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token made on the account page. One with the scope *read* reads; "
            "one with the scope *write* does everything, and one with the scope *live* opens the "
            "live socket only.",
        }


class SessionScheme(OpenApiAuthenticationExtension):
    """The site's own pages."""

    target_class = "rest_framework.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        from django.conf import settings

        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "Who is signed in to the site. What changes something needs the "
            "header `X-CSRFToken`, too.",
        }


IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Something unique of at most 255 characters, such as a UUID. Within 24 hours the "
    "same request with the same key creates nothing again.",
)
IDEMPOTENCY_REPLAYED = OpenApiParameter(
    "Idempotency-Replayed",
    str,
    OpenApiParameter.HEADER,
    response=[200, 201, 202, 207],
    description="`true` where an earlier request with this key had created it.",
)
LOCATION = OpenApiParameter(
    "Location",
    str,
    OpenApiParameter.HEADER,
    response=[201, 202],
    description="Address of a single upload.",
)
