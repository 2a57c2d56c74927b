"""Who has sent a request, told by its headers alone: before there is a request to ask."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.http import parse_cookie

from accounts import tokens
from accounts.models import ApiToken


class MayNotWrite(Exception):
    """A token that is valid, but not for what it is used for."""


def signed_in_id(cookies: bytes, authorization: bytes) -> int | None:
    """Who a request's headers say has sent it, by the API's rules; None for nobody.

    Args:
        cookies: the header of that name.
        authorization: the header of that name.

    Raises:
        MayNotWrite: it is a token that may not: the body of such a request is not worth keeping.
    """
    scheme, _, key = authorization.decode("latin-1").strip().partition(" ")
    if scheme.lower() == "bearer":
        try:
            token = tokens.valid(key.strip())
        except tokens.TokenRefused:
            return None
        if token.scope != ApiToken.Scope.WRITE:
            raise MayNotWrite
        return token.user_id
    session_key = parse_cookie(cookies.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
    if not session_key:
        return None
    session_store = import_module(settings.SESSION_ENGINE).SessionStore
    visitor: Any = SimpleNamespace(session=session_store(session_key))
    user = get_user(visitor)
    return user.pk if user.is_authenticated else None
