"""Who may do what with a study: its owner everything, editors change it, viewers see the data."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.shortcuts import get_object_or_404

from studies.models import Member, Study

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User

#: Role of whoever a study belongs to; the others are :class:`Member.Role`.
OWNER = "owner"


def readable(user: User | AnonymousUser, pk: UUID) -> Study:
    """A study whose data `user` may see.

    Raises:
        Http404: there is none, or it is not for them.
    """
    return get_object_or_404(Study.objects.for_team(user), pk=pk)


def editable(user: User | AnonymousUser, pk: UUID) -> Study:
    """A study that `user` may change.

    Raises:
        Http404: there is none, or it is not for them.
    """
    return get_object_or_404(Study.objects.for_team(user, Member.Role.EDITOR), pk=pk)


def owned(user: User | AnonymousUser, pk: UUID) -> Study:
    """A study of `user`'s own: its team, its opening and its end are theirs alone.

    Raises:
        Http404: there is none, or it is not theirs.
    """
    return get_object_or_404(Study.objects.for_team(user).filter(owner_id=user.pk), pk=pk)


def role(user: User | AnonymousUser, study: Study) -> str:
    """What `user` is in a study's team: :data:`OWNER`, a :class:`Member.Role`, or nothing."""
    if user.pk is None:
        return ""
    if study.owner_id == user.pk:
        return OWNER
    return study.members.filter(user_id=user.pk).values_list("role", flat=True).first() or ""


def may_create(user: User | AnonymousUser) -> bool:
    """Whether `user` may begin a study, by :data:`settings.STUDIES_BY`."""
    if not user.is_authenticated or settings.STUDIES_BY == "nobody":
        return False
    return settings.STUDIES_BY == "everyone" or bool(user.is_staff)


def has_any(user: User | AnonymousUser) -> bool:
    """Whether `user` has anything to do with studies: may begin one, or is in a team."""
    return may_create(user) or Study.objects.for_team(user).exists()
