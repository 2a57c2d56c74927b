"""Who agreed to what: ask with :func:`has`, write with :func:`give` and :func:`withdraw`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import Consent, User
from accounts.purposes import VERSIONS

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def has(user: User | AnonymousUser, purpose: str) -> bool:
    """Whether `user` agrees to the present text of `purpose`."""
    return bool(_standing(purpose).for_owner(user).exists())


def people(purpose: str) -> QuerySet[User]:
    """All who agree to the present text of `purpose`."""
    return User.objects.filter(pk__in=_standing(purpose).values("user"))


def give(user: User, purpose: str) -> None:
    """Note that `user` agrees to the present text; a second time changes nothing."""
    if has(user, purpose):
        return
    version = VERSIONS[purpose]
    Consent.objects.create(user=user, purpose=purpose, version=version)
    audit.record("consent_given", user, actor=user, purpose=purpose, version=version)


def withdraw(user: User, purpose: str) -> None:
    """Note that `user` no longer agrees, to any version."""
    standing = Consent.objects.for_owner(user).filter(purpose=purpose, withdrawn_at=None)
    if standing.update(withdrawn_at=timezone.now()):
        audit.record("consent_withdrawn", user, actor=user, purpose=purpose)


def withdraw_all(user: User) -> None:
    """Whoever gave them was perhaps somebody else: `user` is asked anew."""
    given = Consent.objects.for_owner(user).filter(withdrawn_at=None)
    for purpose in set(given.values_list("purpose", flat=True)):
        withdraw(user, purpose)


def _standing(purpose: str) -> Any:
    return Consent.objects.filter(purpose=purpose, version=VERSIONS[purpose], withdrawn_at=None)
