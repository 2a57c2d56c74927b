"""Errors in one shape: problem details (RFC 9457), with a stable ``code`` for programs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from recognition.quotas import QuotaExceeded
from recognition.vision.errors import ImageError

#: Codes of refused images that are not a plain 400.
_IMAGE_STATUS = {"too_large": 413, "format_not_accepted": 415}


def problem_details(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler; None leaves the error to Django."""
    extra: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if isinstance(error, ImageError):
        status, code, detail = _IMAGE_STATUS.get(error.code, 400), error.code, str(error)
    elif isinstance(error, QuotaExceeded):
        status, code, detail = 403, error.code, str(error)
        if error.retry_after is not None:
            status, headers["Retry-After"] = 429, str(error.retry_after)
    elif isinstance(error, Http404):
        status, code, detail = 404, "not_found", "There is nothing here."
    elif isinstance(error, PermissionDenied):
        status, code, detail = 403, "permission_denied", "You may not do this."
    elif isinstance(error, exceptions.ValidationError):
        status, code, detail = 400, "invalid", "Some fields are missing or not valid."
        extra["errors"] = error.detail
    elif isinstance(error, exceptions.APIException):
        status, detail = error.status_code, str(error.detail)
        code = str(error.get_codes()) if isinstance(error.detail, str) else error.default_code
        if getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
        if getattr(error, "wait", None):
            headers["Retry-After"] = str(int(error.wait) + 1)  # type: ignore[attr-defined]
    else:
        return None
    set_rollback()
    body = {"title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}
    return Response(
        body | extra, status=status, headers=headers, content_type="application/problem+json"
    )
