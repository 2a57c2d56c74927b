"""Where allauth asks this site for its ways."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest

from accounts import audit


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGNUP == "open")

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """What failed sign-ins are counted by: the e-mail address alone.

        The inherited key has the Host header in it, whose port anybody may choose: each port
        would begin to count anew.
        """
        return str(credentials.get("email", "")).strip().lower()


class SessionsAdapter(DefaultUserSessionsAdapter):
    def end_sessions(self, sessions: list[UserSession]) -> None:
        """Sign somebody out elsewhere, and write it down."""
        super().end_sessions(sessions)
        for user in {session.user for session in sessions}:
            audit.record("signed_out_elsewhere", user, actor=user)
