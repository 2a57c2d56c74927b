"""Who sends a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied

from accounts.models import User

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request


def signed_in(request: HttpRequest | Request) -> User:
    """The person who sends a request, where a decorator or a permission lets nobody else through.

    Raises:
        PermissionDenied: nobody is signed in; the view lacks its decorator.
    """
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
