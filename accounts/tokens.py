"""API tokens: make one, find one by its key."""

from __future__ import annotations

import hashlib
import secrets
import string
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import access, audit
from accounts.models import ApiToken
from operations import rates

if TYPE_CHECKING:
    from accounts.models import User

#: What every key begins with, so that scanners for leaked secrets can tell it.
KEY_PREFIX = "visage_"
RANDOM_CHARACTERS = 40
#: Characters of the key that are kept and shown.
SHOWN_CHARACTERS = len(KEY_PREFIX) + 5
#: Each use would otherwise write to the database.
LAST_USED_PRECISION = timedelta(minutes=1)


class TokenRefused(Exception):
    """A key opens nothing.

    Attributes:
        code: `token_invalid`, `token_expired` or `account_disabled`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


_ALPHABET = string.ascii_letters + string.digits


@transaction.atomic
def create(user: User, name: str, scope: str, days: int | None) -> tuple[ApiToken, str]:
    """Make a token that is valid for so many days, None for ever; returns it with its key.

    Raises:
        PermissionDenied: the person's access was ended meanwhile.
    """
    access.refuse_if_ended(user)
    key = KEY_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(RANDOM_CHARACTERS))
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=key[:SHOWN_CHARACTERS],
        key_sha256=_hash(key),
        scope=scope,
        expires_at=None if days is None else timezone.now() + timedelta(days=days),
    )
    _record("token_created", token, user)
    return token, key


def delete(token: ApiToken, actor: User) -> None:
    """Lock out the programs that use a token; `actor` is its owner, or staff."""
    _record("token_deleted", token, actor)
    token.delete()


def find(key: str) -> ApiToken | None:
    """The token of a key, with its user; it may have expired."""
    found: ApiToken | None = (
        ApiToken.objects.select_related("user").filter(key_sha256=_hash(key)).first()
    )
    return found


def valid(key: str) -> ApiToken:
    """The token of a key, with its user, if it may be used now.

    Raises:
        TokenRefused: there is none, it has expired, or its user is disabled.
    """
    token = find(key)
    if token is None:
        raise TokenRefused("token_invalid")
    if token.is_expired:
        raise TokenRefused("token_expired")
    if not token.user.is_active:
        raise TokenRefused("account_disabled")
    return token


def wrong_too_often(address: str) -> int | None:
    """Count a key that was refused; the seconds to wait where its network address had too many.

    Others behind the same address have valid ones: only wrong ones are to be refused for it.
    """
    return rates.too_often("wrong tokens", address, settings.WRONG_TOKEN_RATE)


def note_use(token: ApiToken) -> None:
    """Keep when a token was last used, to the minute."""
    now = timezone.now()
    limit = now - LAST_USED_PRECISION
    if token.last_used_at is None or token.last_used_at <= limit:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=limit)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def _record(action: str, token: ApiToken, actor: User) -> None:
    details = {"prefix": token.prefix, "scope": token.scope}
    audit.record(action, token.user, actor=actor, target=f"token:{token.pk}", **details)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
