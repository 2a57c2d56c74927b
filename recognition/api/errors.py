"""Errors in one shape: problem details (RFC 9457), with a stable ``code`` for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation, TooManyFilesSent
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.log import log_response
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from recognition.refusals import Refusal
from recognition.vision.errors import ImageError
from recognition.wording import refusal_text

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
    "invalid": Kind(400, _("Not valid"), _("`errors` says what is wrong, by field.")),
    "parse_error": Kind(400, _("Not readable"), _("The body is not what its type promises.")),
    "bad_request": Kind(400, _("Bad request"), _("The request is malformed; mend the client.")),
    "too_many_files": Kind(
        400, _("Too many files"), _("Send fewer at once; `me` tells how many may come together.")
    ),
    "empty": Kind(400, _("Empty file"), _("The file has no bytes.")),
    "damaged": Kind(400, _("Damaged photo"), _("The file breaks off or is broken inside.")),
    "too_small": Kind(400, _("Photo too small"), _("`me` tells the smallest size.")),
    "invalid_image": Kind(400, _("Photo refused"), _("`detail` says why.")),
    "invalid_address": Kind(
        400, _("Not an address"), _("Give a webhook's address as https://host/path.")
    ),
    "https_required": Kind(400, _("HTTPS is needed"), _("Webhooks go to https:// only.")),
    "address_not_found": Kind(
        400, _("Unknown host"), _("The name in a webhook's address cannot be looked up.")
    ),
    "private_address": Kind(
        400, _("Private address"), _("Webhooks go to addresses on the internet only.")
    ),
    "not_authenticated": Kind(
        401, _("Not signed in"), _("Send a token: `Authorization: Bearer …`.")
    ),
    "authentication_failed": Kind(
        401, _("Not recognised"), _("`detail` says what is wrong with the credentials.")
    ),
    "token_invalid": Kind(401, _("No such token"), _("It is mistyped or was deleted.")),
    "token_expired": Kind(401, _("Token expired"), _("Make another on the account page.")),
    "account_disabled": Kind(401, _("Account disabled"), _("Ask whoever runs the site.")),
    "permission_denied": Kind(
        403, _("Not allowed"), _("With a browser's session: the CSRF token is missing or wrong.")
    ),
    "token_scope": Kind(
        403, _("Token may only read"), _("Make one with the scope to read and write.")
    ),
    "consent_required": Kind(
        403, _("Consent needed"), _("Sign in to the site, and accept how photos are processed.")
    ),
    "not_found": Kind(
        404, _("Not found"), _("It does not exist, was deleted, or is somebody else's.")
    ),
    "method_not_allowed": Kind(405, _("Wrong method"), _("`Allow` lists those that there are.")),
    "not_acceptable": Kind(406, _("Not available so"), _("Answers are JSON; mend `Accept`.")),
    "not_failed": Kind(409, _("Not failed"), _("Only an upload that failed can be tried again.")),
    "duplicate": Kind(
        409, _("Already there"), _("`duplicate_of` is the id of the upload with the same file.")
    ),
    "request_in_progress": Kind(
        409, _("Still at it"), _("The first request with this key is being answered; wait.")
    ),
    "too_many_webhooks": Kind(409, _("Too many webhooks"), _("Delete one first.")),
    "deleted_since": Kind(
        410, _("Deleted since"), _("What this key created was deleted; use a new key.")
    ),
    "photo_deleted": Kind(410, _("Photo deleted"), _("Its owner keeps results only; they stay.")),
    "too_slow": Kind(408, _("Too slow"), _("The request did not arrive in time; send it again.")),
    "too_large": Kind(
        413,
        _("Photo or request too large"),
        _("`me` tells the limits in bytes, pixels and a side. Send fewer photos at once."),
    ),
    "format_not_accepted": Kind(
        415, _("Not a photo we read"), _("`me` lists the formats that are accepted.")
    ),
    "unsupported_media_type": Kind(
        415, _("Wrong content type"), _("Photos come as multipart/form-data, the rest as JSON.")
    ),
    "idempotency_key_reused": Kind(
        422, _("Key used before"), _("The same key came with another request; use a new one.")
    ),
    "quota_exceeded": Kind(
        429,
        _("Quota used up"),
        _("`Retry-After` tells when there is room again; without it, delete something."),
    ),
    "throttled": Kind(
        429, _("Too many requests"), _("Wait for the seconds in `Retry-After`, then go on.")
    ),
    "server_error": Kind(
        500, _("Our mistake"), _("It was noted. The same request may work later.")
    ),
    "storage_full": Kind(
        507, _("No room left"), _("Nothing was stored. Try later, or tell whoever runs the site.")
    ),
}


class Conflict(exceptions.APIException):
    """The request does not fit the state of things; subclasses say how."""

    status_code = 409


class NotFailed(Conflict):
    default_code = "not_failed"
    default_detail = _("Only an upload that failed can be tried again.")


class PhotoDeleted(exceptions.APIException):
    status_code = 410
    default_code = "photo_deleted"
    default_detail = _("The photo was deleted, and its results were kept.")


class RequestTooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = _("The request is larger than all photos together may be.")


@dataclass
class Problem:
    """One problem, before it becomes a response."""

    status: int
    code: str
    detail: str
    extra: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

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


#: What Django raises, in a program's terms; the first that fits counts.
DJANGO: tuple[tuple[type[Exception], tuple[int, str, Any]], ...] = (
    (Http404, (404, "not_found", _("There is nothing here."))),
    (PermissionDenied, (403, "permission_denied", _("You may not do this."))),
    (
        TooManyFilesSent,
        (400, "too_many_files", _("There are too many files in one request.")),
    ),
    (SuspiciousOperation, (400, "bad_request", _("This request cannot be understood."))),
)


def problem_of(error: Exception) -> Problem | None:
    """What to say of an exception; None for one that nobody foresaw."""
    detail: Any
    extra: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if isinstance(error, ImageError):
        code, detail = error.code, refusal_text(error)
        status = KINDS[code].status
    elif isinstance(error, Refusal):
        status, code, detail = error.status, error.code, str(error)
        if error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
    elif (known := _known(error)) is not None:
        status, code, detail = known
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
    return Problem(status, code, str(detail), extra, headers)


def problem_details(error: Exception, context: dict[str, Any]) -> Response:
    """Django REST framework's exception handler."""
    request = getattr(context.get("request"), "_request", None)
    problem = problem_of(error)
    set_rollback()
    if problem is not None:
        return ProblemResponse(problem.as_dict(request), problem.status, headers=problem.headers)
    detail = _("Something went wrong on our side. It was noted.")
    body = Problem(500, "server_error", str(detail)).as_dict(request)
    response = ProblemResponse(body, 500)
    # What Django does for a page that fails: monitors and tests listen to the signal, and the
    # log gets the traceback, once.
    got_request_exception.send(sender=problem_details, request=request)
    path = request.path if request is not None else ""
    log_response(
        "%s: %s", "Internal Server Error", path, response=response, request=request,
        exception=error,
    )  # fmt: skip
    return response


class ProblemResponse(Response):
    """JSON, also where a picture or YAML was asked for."""

    @property
    def rendered_content(self) -> bytes:  # type: ignore[override]
        self["Content-Type"] = CONTENT_TYPE
        return JSONRenderer().render(self.data)


def _known(error: Exception) -> tuple[int, str, Any] | None:
    return next((known for kind, known in DJANGO if isinstance(error, kind)), None)


def _by_field(detail: Any) -> dict[str, Any]:
    return detail if isinstance(detail, dict) else {"non_field_errors": detail}
