"""Errors in one shape: problem details (RFC 9457), with a stable ``code`` for programs."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation, TooManyFilesSent
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.log import log_response
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from recognition.failures import refusal_text
from recognition.quotas import QuotaExceeded
from recognition.uploads import StorageFull
from recognition.vision.errors import ImageError
from recognition.webhooks.hooks import TooManyWebhooks
from recognition.webhooks.sending import AddressRefused

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem, as its page explains it.

    Attributes:
        status: HTTP status that it comes with.
        title: what it is, in a few words.
        advice: what a program can do about it.
    """

    status: int
    title: Any
    advice: Any


#: Every code that the interface gives; the page of errors and docs/API.md list them.
KINDS: dict[str, Kind] = {
    "invalid": Kind(
        400, gettext_lazy("Not valid"), gettext_lazy("`errors` says what is wrong, by field.")
    ),
    "parse_error": Kind(
        400, gettext_lazy("Not readable"), gettext_lazy("The body is not what its type promises.")
    ),
    "bad_request": Kind(
        400, gettext_lazy("Bad request"), gettext_lazy("The request is malformed; mend the client.")
    ),
    "too_many_files": Kind(
        400,
        gettext_lazy("Too many files"),
        gettext_lazy("Send fewer at once; `me` tells how many may come together."),
    ),
    "empty": Kind(400, gettext_lazy("Empty file"), gettext_lazy("The file has no bytes.")),
    "damaged": Kind(
        400, gettext_lazy("Damaged photo"), gettext_lazy("The file breaks off or is broken inside.")
    ),
    "too_small": Kind(
        400, gettext_lazy("Photo too small"), gettext_lazy("`me` tells the smallest size.")
    ),
    "invalid_image": Kind(400, gettext_lazy("Photo refused"), gettext_lazy("`detail` says why.")),
    "invalid_address": Kind(
        400,
        gettext_lazy("Not an address"),
        gettext_lazy("Give a webhook's address as https://host/path."),
    ),
    "https_required": Kind(
        400, gettext_lazy("HTTPS is needed"), gettext_lazy("Webhooks go to https:// only.")
    ),
    "address_not_found": Kind(
        400,
        gettext_lazy("Unknown host"),
        gettext_lazy("The name in a webhook's address cannot be looked up."),
    ),
    "private_address": Kind(
        400,
        gettext_lazy("Private address"),
        gettext_lazy("Webhooks go to addresses on the internet only."),
    ),
    "not_authenticated": Kind(
        401, gettext_lazy("Not signed in"), gettext_lazy("Send a token: `Authorization: Bearer …`.")
    ),
    "authentication_failed": Kind(
        401,
        gettext_lazy("Not recognised"),
        gettext_lazy("`detail` says what is wrong with the credentials."),
    ),
    "token_invalid": Kind(
        401, gettext_lazy("No such token"), gettext_lazy("It is mistyped or was deleted.")
    ),
    "token_expired": Kind(
        401, gettext_lazy("Token expired"), gettext_lazy("Make another on the account page.")
    ),
    "account_disabled": Kind(
        401, gettext_lazy("Account disabled"), gettext_lazy("Ask whoever runs the site.")
    ),
    "permission_denied": Kind(
        403,
        gettext_lazy("Not allowed"),
        gettext_lazy("With a browser's session: the CSRF token is missing or wrong."),
    ),
    "token_scope": Kind(
        403,
        gettext_lazy("Token may only read"),
        gettext_lazy("Make one with the scope to read and write."),
    ),
    "consent_required": Kind(
        403,
        gettext_lazy("Consent needed"),
        gettext_lazy("Sign in to the site, and accept how photos are processed."),
    ),
    "not_found": Kind(
        404,
        gettext_lazy("Not found"),
        gettext_lazy("It does not exist, was deleted, or is somebody else's."),
    ),
    "method_not_allowed": Kind(
        405, gettext_lazy("Wrong method"), gettext_lazy("`Allow` lists those that there are.")
    ),
    "not_acceptable": Kind(
        406, gettext_lazy("Not available so"), gettext_lazy("Answers are JSON; mend `Accept`.")
    ),
    "not_failed": Kind(
        409,
        gettext_lazy("Not failed"),
        gettext_lazy("Only an upload that failed can be tried again."),
    ),
    "duplicate": Kind(
        409,
        gettext_lazy("Already there"),
        gettext_lazy("`duplicate_of` is the id of the upload with the same file."),
    ),
    "request_in_progress": Kind(
        409,
        gettext_lazy("Still at it"),
        gettext_lazy("The first request with this key is being answered; wait."),
    ),
    "too_many_webhooks": Kind(
        409, gettext_lazy("Too many webhooks"), gettext_lazy("Delete one first.")
    ),
    "deleted_since": Kind(
        410,
        gettext_lazy("Deleted since"),
        gettext_lazy("What this key created was deleted; use a new key."),
    ),
    "photo_deleted": Kind(
        410, gettext_lazy("Photo deleted"), gettext_lazy("Its owner keeps results only; they stay.")
    ),
    "too_large": Kind(
        413,
        gettext_lazy("Photo or request too large"),
        gettext_lazy(
            "`me` tells the limits in bytes, pixels and a side. Send fewer photos at once."
        ),
    ),
    "format_not_accepted": Kind(
        415,
        gettext_lazy("Not a photo we read"),
        gettext_lazy("`me` lists the formats that are accepted."),
    ),
    "unsupported_media_type": Kind(
        415,
        gettext_lazy("Wrong content type"),
        gettext_lazy("Photos come as multipart/form-data, the rest as JSON."),
    ),
    "idempotency_key_reused": Kind(
        422,
        gettext_lazy("Key used before"),
        gettext_lazy("The same key came with another request; use a new one."),
    ),
    "quota_exceeded": Kind(
        429,
        gettext_lazy("Quota used up"),
        gettext_lazy("`Retry-After` tells when there is room again; without it, delete something."),
    ),
    "throttled": Kind(
        429,
        gettext_lazy("Too many requests"),
        gettext_lazy("Wait for the seconds in `Retry-After`, then go on."),
    ),
    "server_error": Kind(
        500,
        gettext_lazy("Our mistake"),
        gettext_lazy("It was noted. The same request may work later."),
    ),
    "storage_full": Kind(
        507,
        gettext_lazy("No room left"),
        gettext_lazy("Nothing was stored. Try later, or tell whoever runs the site."),
    ),
}


class Conflict(exceptions.APIException):
    """The request does not fit the state of things; subclasses say how."""

    status_code = 409


class NotFailed(Conflict):
    default_code = "not_failed"
    default_detail = gettext_lazy("Only an upload that failed can be tried again.")


class PhotoDeleted(exceptions.APIException):
    status_code = 410
    default_code = "photo_deleted"
    default_detail = gettext_lazy("The photo was deleted, and its results were kept.")


class RequestTooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = gettext_lazy("The request is larger than all photos together may be.")


@dataclass
class Problem:
    """One problem, before it becomes a response."""

    status: int
    code: str
    detail: str
    extra: dict[str, Any]
    headers: dict[str, str]

    def as_dict(self, request: HttpRequest | None) -> dict[str, Any]:
        kind = KINDS.get(self.code)
        address = "about:blank"
        if kind is not None:
            address = f"{reverse('api-errors')}#{self.code}"
            if request is not None:
                address = request.build_absolute_uri(address)
        return {
            "type": address,
            "title": str(kind.title) if kind else HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.extra,
        }


def problem_of(error: Exception) -> Problem | None:
    """What to say of an exception; None for one that nobody foresaw."""
    extra: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if isinstance(error, ImageError):
        status = KINDS[error.code].status if error.code in KINDS else 400
        code, detail = error.code, refusal_text(error)
    elif isinstance(error, QuotaExceeded):
        status, code, detail = 403, error.code, str(error)
        if error.retry_after is not None:
            status, headers["Retry-After"] = 429, str(error.retry_after)
    elif isinstance(error, StorageFull):
        status, code, detail = 507, error.code, str(error)
    elif isinstance(error, AddressRefused):
        status, code, detail = 400, error.code, str(error)
    elif isinstance(error, TooManyWebhooks):
        status, code, detail = 409, "too_many_webhooks", str(error)
    elif isinstance(error, Http404):
        status, code, detail = 404, "not_found", _("There is nothing here.")
    elif isinstance(error, PermissionDenied):
        status, code, detail = 403, "permission_denied", _("You may not do this.")
    elif isinstance(error, TooManyFilesSent):
        status, code, detail = 400, "too_many_files", _("There are too many files in one request.")
    elif isinstance(error, SuspiciousOperation):
        status, code, detail = 400, "bad_request", _("This request cannot be understood.")
    elif isinstance(error, exceptions.ValidationError):
        status, code = 400, "invalid"
        detail = _("Some fields are missing or not valid.")
        extra["errors"] = _by_field(error.detail)
    elif isinstance(error, exceptions.APIException):
        status, detail = error.status_code, str(error.detail)
        code = str(error.get_codes()) if isinstance(error.detail, str) else error.default_code
        extra.update(getattr(error, "extra", {}))
        if getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
        if (wait := getattr(error, "wait", None)) is not None:
            headers["Retry-After"] = str(int(wait) + 1)
    else:
        return None
    return Problem(status, code, detail, extra, headers)


def problem_details(error: Exception, context: dict[str, Any]) -> Response:
    """Django REST framework's exception handler."""
    request = getattr(context.get("request"), "_request", None)
    problem = problem_of(error)
    set_rollback()
    if problem is not None:
        return problem_response(problem.as_dict(request), problem.status, problem.headers)
    detail = _("Something went wrong on our side. It was noted.")
    body = Problem(500, "server_error", detail, {}, {}).as_dict(request)
    response = problem_response(body, 500)
    # What Django does for a page that fails: monitors and tests listen to the signal, and the
    # log gets the traceback, once.
    got_request_exception.send(sender=problem_details, request=request)
    path = request.path if request is not None else ""
    log_response(
        "%s: %s", "Internal Server Error", path, response=response, request=request,
        exception=error,
    )  # fmt: skip
    return response


def problem_response(
    body: dict[str, Any], status: int, headers: dict[str, str] | None = None
) -> Response:
    return ProblemResponse(body, status=status, headers=headers)


class ProblemResponse(Response):
    """JSON, also where a picture or YAML was asked for."""

    @property
    def rendered_content(self) -> bytes:  # type: ignore[override]
        self["Content-Type"] = CONTENT_TYPE
        return JSONRenderer().render(self.data)


def _by_field(detail: Any) -> dict[str, Any]:
    return detail if isinstance(detail, dict) else {"non_field_errors": detail}
