"""Mail that tells a person what has changed about the ways into their account."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise

from accounts.addresses import mailbox
from operations import mails, rates

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

#: Mails of one kind to one address, whose owner has shown that it is theirs, or not: whoever signed
#: up with another's must not fill their mailbox.
RATE, RATE_OF_UNPROVEN = "20/h", "20/d"
#: Of what is not done over and over, the person is always told where the address is theirs.
ACCOUNT = "account"


def may_tell(user: User, address: str, about: str) -> bool:
    """Count a mail of what somebody did with their account; False where it is one too many.

    Args:
        user: whose account.
        address: where it goes.
        about: what it is of, :data:`ACCOUNT` or something else. Each has a count of its own, so
            that nobody uses up another's.
    """
    is_theirs = EmailAddress.objects.filter(user=user, email=address, verified=True).exists()
    if is_theirs and about == ACCOUNT:
        return True
    rate = RATE if is_theirs else RATE_OF_UNPROVEN
    return rates.too_often(f"notices of {about}", mailbox(address), rate) is None


def send_soon(
    user: User, change: str | Promise, to: str | None = None, about: str = ACCOUNT
) -> None:
    """Mail a person of a change once it is stored; nothing where no mail is set up.

    allauth sends the like of passwords, addresses and second factors that people change
    themselves; this one is for all else.

    Args:
        user: whose account.
        change: one sentence without its full stop, such as "An API token was created".
        to: where it goes; by default to their present address.
        about: see :func:`may_tell`.
    """
    if not settings.ACCOUNT_EMAIL_NOTIFICATIONS:
        return
    address = to or user.email
    if may_tell(user, address, about):
        context = {
            "change": str(change),
            "at": timezone.now(),
            "activity": settings.SITE_URL + reverse("activity"),
            "password": settings.SITE_URL + reverse("account_change_password"),
        }
        transaction.on_commit(lambda: _send(address, context), robust=True)


def _send(address: str, context: dict[str, object]) -> None:
    subject = render_to_string("accounts/email/change_subject.txt", context).strip()
    message = render_to_string("accounts/email/change_message.txt", context)
    try:
        mails.send(subject, message, address)
    except mails.NotSent as error:
        # The change stands; its author shall not be told that it failed.
        logger.warning("a notice %s", error)
