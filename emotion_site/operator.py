"""Who runs the site and what for: told on every page, and the operator's own legal page."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


class Operator(TypedDict):
    """What templates find as ``operator``."""

    purpose: str
    contact: str
    has_legal_page: bool
    #: Whether photos and files of studies are in an S3 bucket, and not on this server.
    has_bucket: bool


def context(request: HttpRequest) -> dict[str, Operator]:
    """A context processor."""
    return {
        "operator": {
            "purpose": settings.DEPLOYMENT_PURPOSE,
            "contact": settings.OPERATOR_CONTACT,
            "has_legal_page": bool(settings.LEGAL_PAGE),
            "has_bucket": bool(settings.S3_BUCKET),
        }
    }


@require_safe
def legal(request: HttpRequest) -> HttpResponse:
    """The text of :data:`settings.LEGAL_PAGE`, read anew each time so that it can be edited."""
    text = ""
    if settings.LEGAL_PAGE:
        try:
            text = Path(settings.LEGAL_PAGE).read_text(encoding="utf-8")
        except OSError:
            raise Http404 from None
    return render(request, "legal.html", {"text": text})
