"""Pages of the researcher: studies, and one study."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.http import signed_in
from studies import access
from studies.models import Study


@require_safe
@login_required
def studies(request: HttpRequest) -> HttpResponse:
    """The studies that the person owns or works on."""
    found = Study.objects.for_team(signed_in(request))
    return render(request, "studies/studies.html", {"studies": found})


@require_safe
@login_required
def study(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One study and where it stands."""
    found = access.readable(signed_in(request), pk)
    return render(request, "studies/study.html", {"study": found})
