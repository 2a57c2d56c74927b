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

from operations import asking_again
from recognition.refusals import Refusal
from recognition.vision.errors import FileError
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
    "invalid": Kind(400, _("Invalid"), _("`errors` lists what is wrong, by field.")),
    "parse_error": Kind(400, _("Unreadable body"), _("The body doesn’t match its content type.")),
    "bad_request": Kind(400, _("Bad request"), _("The request is malformed. Check the client.")),
    "too_many_files": Kind(
        400, _("Too many files"), _("Send fewer at once; `/me/` gives the limit.")
    ),
    "empty": Kind(400, _("Empty file"), _("The file has no bytes.")),
    "damaged": Kind(400, _("Damaged photo"), _("The file is truncated or corrupt.")),
    "too_small": Kind(400, _("Photo too small"), _("`/me/` gives the minimum size.")),
    "image_too_costly": Kind(
        400,
        _("Photo too complex"),
        _("Opening it takes too much memory or time. Save it again as an ordinary JPEG."),
    ),
    "invalid_image": Kind(400, _("Photo refused"), _("`detail` says why.")),
    "invalid_address": Kind(400, _("Not a URL"), _("Give the webhook’s URL as https://host/path.")),
    "https_required": Kind(400, _("HTTPS required"), _("Webhook URLs must start with https://.")),
    "invalid_part": Kind(400, _("Part refused"), _("`detail` says why.")),
    "invalid_answer": Kind(400, _("Correction refused"), _("`detail` says why.")),
    "invalid_marker": Kind(400, _("Marker refused"), _("`detail` says why.")),
    "address_not_found": Kind(
        400, _("Unknown host"), _("The host name in the webhook’s URL can’t be resolved.")
    ),
    "private_address": Kind(
        400, _("Private address"), _("Webhooks must point to a public address.")
    ),
    "not_authenticated": Kind(
        401, _("Not signed in"), _("Send a token: `Authorization: Bearer …`.")
    ),
    "authentication_failed": Kind(
        401, _("Authentication failed"), _("`detail` says what is wrong with the credentials.")
    ),
    "token_invalid": Kind(401, _("Invalid token"), _("It was mistyped or deleted.")),
    "token_expired": Kind(401, _("Token expired"), _("Create a new one on the account page.")),
    "account_disabled": Kind(401, _("Account disabled"), _("Ask the site’s administrator.")),
    "permission_denied": Kind(
        403, _("Not allowed"), _("With session authentication: the CSRF token is missing or wrong.")
    ),
    "token_scope": Kind(
        403,
        _("Token not for this"),
        _("Create one with the access that the request needs: to read, or to read and write."),
    ),
    "consent_required": Kind(
        403, _("Consent required"), _("Sign in on the website and agree to photo processing.")
    ),
    "not_found": Kind(
        404, _("Not found"), _("It doesn’t exist, was deleted, or belongs to someone else.")
    ),
    "method_not_allowed": Kind(
        405, _("Method not allowed"), _("`Allow` lists the methods that are.")
    ),
    "not_acceptable": Kind(
        406, _("Not acceptable"), _("Responses are JSON. Send Accept: application/json")
    ),
    "not_failed": Kind(409, _("Not failed"), _("Only failed uploads can be retried.")),
    "duplicate": Kind(
        409, _("Duplicate"), _("`duplicate_of` is the id of the upload with the same file.")
    ),
    "request_in_progress": Kind(
        409,
        _("Still in progress"),
        _("The first request with this key is still being processed; wait."),
    ),
    "too_many_webhooks": Kind(409, _("Too many webhooks"), _("Delete one first.")),
    "wrong_offset": Kind(409, _("Wrong offset"), _("`detail` says where to go on.")),
    "incomplete": Kind(409, _("Not complete"), _("Send what is missing, or ask again.")),
    "too_many_transfers": Kind(409, _("Too many begun"), _("End or delete one first.")),
    "too_many_answers": Kind(409, _("Too many corrections"), _("Delete one first.")),
    "too_many_markers": Kind(409, _("Too many markers"), _("Delete one first.")),
    "deleted_since": Kind(
        410, _("Deleted in the meantime"), _("What this key created was deleted; use a new key.")
    ),
    "photo_deleted": Kind(
        410, _("Photo deleted"), _("Under its owner’s retention setting; the results remain.")
    ),
    "too_slow": Kind(408, _("Too slow"), _("The request did not arrive in time; send it again.")),
    "too_large": Kind(
        413,
        _("Photo or request too large"),
        _("`/me/` gives the limits on bytes, pixels and side length. Send fewer photos at once."),
    ),
    "format_not_accepted": Kind(
        415, _("Unsupported file type"), _("`/me/` lists the accepted formats.")
    ),
    "unsupported_media_type": Kind(
        415,
        _("Wrong content type"),
        _("Send photos as multipart/form-data, everything else as JSON."),
    ),
    "idempotency_key_reused": Kind(
        422, _("Key already used"), _("This key was sent with a different request; use a new one.")
    ),
    "quota_exceeded": Kind(
        429,
        _("Quota exceeded"),
        _("`Retry-After` says when to try again; if it is missing, delete something."),
    ),
    "throttled": Kind(
        429,
        _("Too many requests"),
        _("Wait for the number of seconds in `Retry-After`, then continue."),
    ),
    "server_error": Kind(500, _("Server error"), _("It has been logged. Retrying later may work.")),
    "busy": Kind(
        503,
        _("Too busy"),
        _("Nothing was stored. Retry after the number of seconds in `Retry-After`."),
    ),
    "storage_full": Kind(
        507,
        _("Out of storage"),
        _("Nothing was stored. Try again later, or tell the site’s administrator."),
    ),
}


class Conflict(exceptions.APIException):
    """The request does not fit the state of things; subclasses say how."""

    status_code = 409


class NotFailed(Conflict):
    default_code = "not_failed"
    default_detail = _("Only failed uploads can be retried.")


class PhotoDeleted(exceptions.APIException):
    status_code = 410
    default_code = "photo_deleted"
    default_detail = _("The photo was deleted; its results remain.")


class RequestTooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = _("The request is larger than the limit for all photos together.")


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
    (Http404, (404, "not_found", _("Not found."))),
    (PermissionDenied, (403, "permission_denied", _("You don’t have permission to do this."))),
    (
        TooManyFilesSent,
        (400, "too_many_files", _("Too many files in one request.")),
    ),
    (SuspiciousOperation, (400, "bad_request", _("This request can’t be understood."))),
)


def problem_of(error: Exception) -> Problem | None:
    """What to say of an exception; None for one that nobody foresaw."""
    detail: Any
    extra: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if isinstance(error, FileError):
        code, detail = error.code, refusal_text(error)
        status = KINDS[code].status
    elif isinstance(error, Refusal):
        status, code, detail = error.status, error.code, str(error)
        if error.retry_after is not None:
            headers.update(asking_again.headers(error.retry_after))
    elif (known := _known(error)) is not None:
        status, code, detail = known
    elif isinstance(error, exceptions.ValidationError):
        status, code = 400, "invalid"
        detail = _("Some fields are missing or invalid.")
        extra["errors"] = _by_field(error.detail)
    elif isinstance(error, exceptions.APIException):
        status, detail = error.status_code, str(error.detail)
        code = str(error.get_codes()) if isinstance(error.detail, str) else error.default_code
        extra.update(getattr(error, "extra", {}))
        if getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
        if (wait := getattr(error, "wait", None)) is not None:
            headers.update(asking_again.headers(int(wait) + 1))
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
    detail = _("Something went wrong on our side. It has been logged.")
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
