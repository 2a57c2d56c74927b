"""End everything that opens an account, for whoever gets it back from somebody else."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from accounts import audit
from accounts.models import ApiToken, User

#: Of one person: who signs in once more ends the one that began first.
MOST_SESSIONS = 50
#: Sent with `user` in the transaction that ends their access: other parts of the site end what
#: they keep for a person that somebody else may have set up.
access_ended = Signal()


@transaction.atomic
def end(
    user: User, actor: User | None, *, keep_session: str | None = None, second_factors: bool = True
) -> None:
    """Delete tokens, sessions, second factors and unconfirmed addresses, and tell everybody else.

    Args:
        user: whose account.
        actor: who wants it; None where nobody is signed in.
        keep_session: key of the one that goes on.
        second_factors: whether these go, too. They stay where mail alone proves who somebody is:
            else whoever reads the mail would need no second factor.
    """
    _note(user)
    ApiToken.objects.filter(user=user).delete()
    if second_factors:
        Authenticator.objects.filter(user=user).delete()
    forget_pending_addresses(user)
    for session in UserSession.objects.filter(user=user).exclude(session_key=keep_session):
        session.end()
    access_ended.send(sender=type(user), user=user)
    audit.record("access_ended", user, actor=actor)


def end_oldest_sessions(user: User) -> None:
    """Leave room for one more of :data:`MOST_SESSIONS`.

    Each is read one by one wherever they are listed, so that thousands would keep others waiting.
    """
    sessions = UserSession.objects.filter(user=user).order_by("-created_at", "-pk")
    keys = list(sessions.values_list("session_key", flat=True)[MOST_SESSIONS - 1 :])
    if keys:
        Session.objects.filter(session_key__in=keys).delete()
        UserSession.objects.filter(session_key__in=keys).delete()


@transaction.atomic
def forget_pending_addresses(user: User) -> None:
    """A link to confirm another address, asked for by whoever had the account, leads nowhere."""
    _note(user)
    EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email).delete()


def refuse_if_ended(user: User) -> None:
    """Lock somebody's row, in whose transaction a way into the account is about to be made.

    A request that was on its way while access ended would otherwise leave one behind.

    Args:
        user: as they were read when the request was let in.

    Raises:
        PermissionDenied: access has ended since then.
    """
    people = User.objects.select_for_update(no_key=True).filter(pk=user.pk)
    if people.values_list("access_ended_at", flat=True).first() != user.access_ended_at:
        raise PermissionDenied


def _note(user: User) -> None:
    """First of all, for it locks the row: what was made before is seen, what comes is refused."""
    user.access_ended_at = timezone.now()
    User.objects.filter(pk=user.pk).update(access_ended_at=user.access_ended_at)


def owns_address(user: User) -> bool:
    """Whether the person has shown that they receive the mail of their address."""
    return bool(EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists())


def note_that_address_is_theirs(user: User) -> None:
    """They have opened a link that was sent there."""
    address, _is_new = EmailAddress.objects.get_or_create(
        user=user, email=user.email, defaults={"primary": True}
    )
    if not address.verified and address.set_verified(commit=False):
        address.save()
