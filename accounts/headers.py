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


def signed_in_id(cookies: bytes, authorization: bytes) -> int | None:
    """Who a request's headers say has sent it, by the API's rules, and may send more than words.

    None for nobody, and for a token that may not write: its body is not worth keeping.

    Args:
        cookies: the header of that name.
        authorization: the header of that name.
    """
    scheme, _, key = authorization.decode("latin-1").strip().partition(" ")
    if scheme.lower() == "bearer":
        try:
            token = tokens.valid(key.strip())
        except tokens.TokenRefused:
            return None
        return token.user_id if token.scope == ApiToken.Scope.WRITE else None
    session_key = parse_cookie(cookies.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
    if not session_key:
        return None
    session_store = import_module(settings.SESSION_ENGINE).SessionStore
    visitor: Any = SimpleNamespace(session=session_store(session_key))
    user = get_user(visitor)
    return user.pk if user.is_authenticated else None
