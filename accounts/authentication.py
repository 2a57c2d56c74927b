"""The API's ways in: a token, and what a token or a person may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts import consent, tokens
from accounts.addresses import network_of
from accounts.models import ApiToken, User
from accounts.purposes import ACCOUNT

if TYPE_CHECKING:
    # Which imports its default classes, and so this module.
    from rest_framework.views import APIView


#: What people read of a refused token, by its code.
REFUSED = {
    "token_invalid": _("Invalid token."),
    "token_expired": _("This token has expired."),
    "account_disabled": _("This account is disabled."),
}


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer visage_…``; requests with another scheme are left to others."""

    scheme = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.scheme.lower().encode():
            return None
        try:
            token = tokens.valid(words[1].decode("latin-1") if len(words) == 2 else "")
        except tokens.TokenRefused as refused:
            wait = tokens.wrong_too_often(network_of(request._request))
            if wait is not None:
                raise Throttled(wait) from None
            raise AuthenticationFailed(REFUSED[refused.code], refused.code) from None
        tokens.note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return f'{self.scheme} realm="api"'


class TokenScope(BasePermission):
    """A token that may read changes nothing, and one for live frames has no business here.

    People who are signed in are not restricted.
    """

    message = _("This token is read-only.")
    code = "token_scope"

    def has_permission(self, request: Request, view: APIView) -> bool:
        token = request.auth
        if not isinstance(token, ApiToken):
            return True
        if token.scope == ApiToken.Scope.LIVE:
            self.message = _("This token opens the live socket only.")
            return False
        return request.method in SAFE_METHODS or token.scope == ApiToken.Scope.WRITE


class HasConsent(BasePermission):
    """Whoever has not agreed to the present text is asked to, on any page of the site."""

    message = _("Sign in on the website and agree to photo processing, then try again.")
    code = "consent_required"

    def has_permission(self, request: Request, view: APIView) -> bool:
        return consent.has(request.user, ACCOUNT)
