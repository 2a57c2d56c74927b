"""The audit trail: what happened to a person's account and data, for that person to read.

Every part of the site writes it with :func:`record`; rows are never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEvent

if TYPE_CHECKING:
    from accounts.models import User

#: Action to what the person reads. There are no others.
ACTIONS: dict[str, Promise] = {
    # Signing in
    "signed_up": _("The account was created"),
    "invited": _("An invitation was sent"),
    "signed_in": _("Signed in"),
    "signed_out": _("Signed out"),
    "signed_out_elsewhere": _("Signed out everywhere else"),
    "session_ended_by_staff": _("Signed out somewhere by staff"),
    "sign_in_failed": _("A wrong password or code was entered"),
    "password_changed": _("The password was changed"),
    "email_changed": _("The e-mail address was changed"),
    "two_factor_enabled": _("Two-factor sign-in was switched on"),
    "two_factor_disabled": _("Two-factor sign-in was switched off"),
    "recovery_codes_made": _("New recovery codes were made"),
    "token_created": _("An API token was created"),
    "token_deleted": _("An API token was deleted"),
    # Consent
    "consent_given": _("Consent was given"),
    "consent_withdrawn": _("Consent was withdrawn"),
    # Data
    "upload_created": _("A photo was uploaded"),
    "upload_deleted": _("A photo was deleted"),
    "correction_made": _("A label was corrected"),
    "photo_viewed_by_staff": _("A photo was looked at by staff"),
    "data_exported": _("Data was exported"),
    "account_deletion_requested": _("The account was closed, to be deleted"),
    "webhook_added": _("A webhook was added"),
    "webhook_deleted": _("A webhook was deleted"),
}


def record(
    action: str, user: User, actor: User | None = None, target: str = "", **details: Any
) -> None:
    """Write down that something happened.

    Args:
        action: one of :data:`ACTIONS`.
        user: whose account or data it concerns.
        actor: who did it; None for the system, or somebody who is not known.
        target: as ``kind:id``; never a name or a picture.
        details: small, as JSON knows them, and free of personal data. ``reason`` is shown.

    Raises:
        ValueError: the action is not in the list.
    """
    if action not in ACTIONS:
        raise ValueError(f"{action} is no action of the audit trail.")
    AuditEvent.objects.create(user=user, actor=actor, action=action, target=target, details=details)
