"""What every page of a study shows: the study, and what the reader may do with it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.http import signed_in
from studies import access
from studies.models import Member, Study


def page(
    request: HttpRequest, template: str, study: Study, *, status: int = 200, **more: Any
) -> HttpResponse:
    """A page of a study, with ``study``, ``is_owner`` and ``may_edit`` beside `more`."""
    role = access.role(signed_in(request), study)
    context = {
        "study": study,
        "is_owner": role == access.OWNER,
        "may_edit": role in (access.OWNER, Member.Role.EDITOR),
        **more,
    }
    return render(request, template, context, status=status)
