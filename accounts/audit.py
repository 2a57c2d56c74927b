"""The audit trail: what happened to a person's account and data, for that person to read.

Every part of the site writes it with :func:`record`; rows are never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import notices
from accounts.models import AuditEvent

if TYPE_CHECKING:
    from accounts.models import User

#: Action to what the person reads. There are no others; apps :func:`register` their own.
ACTIONS: dict[str, Promise] = {
    # Signing in
    "signed_up": _("The account was created"),
    "invited": _("An invitation was sent"),
    "signed_in": _("Signed in"),
    "signed_out": _("Signed out"),
    "signed_out_elsewhere": _("Signed out of all other sessions"),
    "session_ended_by_staff": _("Signed out of a session by staff"),
    "sign_in_failed": _("A wrong password or code was entered"),
    "password_changed": _("The password was changed"),
    "email_changed": _("The email address was changed"),
    "two_factor_enabled": _("Two-factor sign-in was turned on"),
    "two_factor_disabled": _("Two-factor sign-in was turned off"),
    "recovery_codes_made": _("New recovery codes were generated"),
    "password_set_by_staff": _("The password was set by staff"),
    "email_changed_by_staff": _("The email address was changed by staff"),
    "two_factor_removed_by_staff": _("A second factor was removed by staff"),
    "rights_changed": _("What the account may do was changed by staff"),
    "account_enabled": _("The account was enabled by staff"),
    "account_disabled": _("The account was disabled by staff"),
    "access_ended": _("Tokens, webhooks, other sessions and what else opened the account ended"),
    "token_created": _("An API token was created"),
    "token_deleted": _("An API token was deleted"),
    # Consent
    "consent_given": _("Consent was given"),
    "consent_withdrawn": _("Consent was withdrawn"),
    "account_deletion_requested": _("The account was closed for deletion"),
}

#: Ways into an account that change: the person is mailed of each. Of what people change on
#: allauth's pages it mails them itself.
MAILED = {
    "password_set_by_staff", "email_changed_by_staff", "two_factor_removed_by_staff",
    "rights_changed", "account_enabled", "account_disabled", "access_ended",
    "token_created", "token_deleted", "account_deletion_requested",
}  # fmt: skip

#: First words of those that people do as often as they like.
DONE_OFTEN = {"token", "webhook", "study"}

#: What is done over and over counts as one event for so long: it would fill the list, and a disk,
#: with nothing new.
TOGETHER = timedelta(hours=1)

#: Events that are written in one statement.
WRITTEN_AT_ONCE = 500

#: Kinds of targets of which the person is told the beginning of the id, and the models of their
#: rows, as ``app.Model``, whose owners have a page of each; empty where events lead to none.
SHOWN_TARGETS: dict[str, str] = {}

#: Actions of people who know each other, who are named by their email address; of all other
#: actions the person is told only that somebody else did them.
NAMED: set[str] = set()


def register(
    actions: Mapping[str, Promise],
    *,
    mailed: Iterable[str] = (),
    shown: Mapping[str, str] | None = None,
    named: Iterable[str] = (),
) -> None:
    """Add an app's own actions when the site starts.

    Args:
        actions: each with what the person reads.
        mailed: those among them of which the person is mailed.
        shown: kinds of targets that are shown with an action, and their models.
        named: those among the actions of which the person is told who did them.
    """
    ACTIONS.update(actions)
    MAILED.update(mailed)
    SHOWN_TARGETS.update(shown or {})
    NAMED.update(named)


def record(
    action: str, user: User, actor: User | None = None, target: str = "", **details: Any
) -> None:
    """Write down that something happened, and mail the person if it is one of :data:`MAILED`.

    Args:
        action: one of :data:`ACTIONS`.
        user: whose account or data it concerns.
        actor: who did it; None for the system, or somebody who is not known.
        target: as ``kind:id``; never a name or a picture.
        details: small, as JSON knows them, and free of personal data. ``reason``, ``file`` and
            ``number`` are shown.

    Raises:
        ValueError: the action is not in the list.
    """
    if action not in ACTIONS:
        raise ValueError(f"{action} is no action of the audit trail.")
    AuditEvent.objects.create(user=user, actor=actor, action=action, target=target, details=details)
    if action in MAILED:
        kind = action.partition("_")[0]
        about = kind if kind in DONE_OFTEN else notices.ACCOUNT
        notices.send_soon(user, ACTIONS[action], about=about)


def record_together(action: str, user: User, actor: User, targets: Sequence[str]) -> None:
    """Write down once what was done with all of them in one go, and with how many.

    For what can be done and undone again and again, with thousands at a time.

    Args:
        action: one of :data:`ACTIONS`.
        user: whose data.
        actor: who did it.
        targets: each as for :func:`record`; which they were is kept where there is one.

    Raises:
        ValueError: the action is not in the list.
    """
    if len(targets) == 1:
        record(action, user, actor, targets[0])
    elif targets:
        record(action, user, actor, number=len(targets))


def record_each(action: str, targets: Iterable[tuple[int, str]], actor: User | None) -> None:
    """Write an event for each of many, few statements for all; nobody is mailed.

    Args:
        action: one of :data:`ACTIONS`, and none of :data:`MAILED`.
        targets: the id of whose data it is, and the target as for :func:`record`.
        actor: who did it; None for the system.

    Raises:
        ValueError: the action is not in the list, or one that people are mailed of.
    """
    if action not in ACTIONS or action in MAILED:
        raise ValueError(f"{action} is no action to be written for many.")
    AuditEvent.objects.bulk_create(
        (
            AuditEvent(user_id=user_id, actor=actor, action=action, target=target)
            for user_id, target in targets
        ),
        batch_size=WRITTEN_AT_ONCE,
    )


def record_hourly(action: str, user: User, actor: User, target: str = "", **details: Any) -> None:
    """Write down that something happened, once for all of the same within an hour.

    For what can be done again and again, such as a download by a script that asks each minute.

    Args:
        action: one of :data:`ACTIONS`.
        user: whose data.
        actor: who did it.
        target: as for :func:`record`.
        details: likewise.

    Raises:
        ValueError: the action is not in the list.
    """
    same = AuditEvent.objects.filter(user=user, actor=actor, action=action, target=target)
    lately = same.filter(at__gt=timezone.now() - TOGETHER, details=details)
    if not lately.exists():
        record(action, user, actor, target, **details)
