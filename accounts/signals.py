"""What signing in and its settings leave in the audit trail."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account_signals
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.dispatch import receiver

from accounts import access, audit
from accounts.models import User


@receiver(account_signals.user_signed_up)
def signed_up(user: User, **kwargs: Any) -> None:
    audit.record("signed_up", user, actor=user)


@receiver(user_logged_in)
def signed_in(user: User, **kwargs: Any) -> None:
    audit.record("signed_in", user, actor=user)


@receiver(user_logged_out)
def signed_out(user: User | None, **kwargs: Any) -> None:
    # Whoever has just deleted the account is signed out, too.
    if user is not None and User.objects.filter(pk=user.pk).exists():
        audit.record("signed_out", user, actor=user)


@receiver(user_login_failed)
def sign_in_failed(credentials: dict[str, Any], **kwargs: Any) -> None:
    """Addresses without an account leave no trace."""
    user = User.objects.filter(email=str(credentials.get("email", "")).lower()).first()
    if user is not None:
        audit.record("sign_in_failed", user, step="password")


@receiver(mfa_signals.authentication_failed)
def code_failed(user: User, **kwargs: Any) -> None:
    audit.record("sign_in_failed", user, step="code")


@receiver(account_signals.password_set)
@receiver(account_signals.password_changed)
@receiver(account_signals.password_reset)
def password_changed(user: User, **kwargs: Any) -> None:
    audit.record("password_changed", user, actor=user)


@receiver(account_signals.email_changed)
def email_changed(user: User, **kwargs: Any) -> None:
    audit.record("email_changed", user, actor=user)


@receiver(mfa_signals.authenticator_added)
@receiver(mfa_signals.authenticator_reset)
def authenticator_added(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    try:
        with transaction.atomic():
            access.refuse_if_ended(user)
    except PermissionDenied:
        authenticator.delete()
        raise
    is_totp = authenticator.type == Authenticator.Type.TOTP
    audit.record("two_factor_enabled" if is_totp else "recovery_codes_made", user, actor=user)


@receiver(mfa_signals.authenticator_removed)
def authenticator_removed(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        audit.record("two_factor_disabled", user, actor=user)
