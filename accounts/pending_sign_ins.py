"""Sign-ins that have begun and wait for their next step: a second factor, or a confirmed address.

allauth keeps them in a session that is nobody's yet, so whatever ends somebody's sessions passes
them by. Each is tied to what it began with instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.internal.stagekit import LOGIN_SESSION_KEY
from allauth.account.utils import user_pk_to_url_str
from django.contrib.sessions.backends.base import SessionBase

from accounts.models import User

_BEGUN_WITH = "sign_in_begun_with"


def begin(session: SessionBase, user: User) -> None:
    """Note the password, and the last end of access, that a sign-in begins with."""
    session[_BEGUN_WITH] = _state_of(user)


def may_finish(session: SessionBase, user: User) -> bool:
    """Whether both are still the same; asked once, at the end.

    Args:
        user: as they are now.
    """
    return bool(session.pop(_BEGUN_WITH, None) == _state_of(user))


def is_of(session: Mapping[str, Any], user: User) -> bool:
    """Whether a session holds a sign-in to an account, or one that pretends to be."""
    found = session.get(LOGIN_SESSION_KEY)
    if not isinstance(found, dict):
        return False
    return found.get("user_pk") == user_pk_to_url_str(user) or found.get("email") == user.email


def _state_of(user: User) -> list[str]:
    return [user.get_session_auth_hash(), str(user.access_ended_at or "")]
