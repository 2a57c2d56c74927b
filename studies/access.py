"""Who may do what with a study: its owner everything, editors change it, viewers see the data."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.shortcuts import get_object_or_404

from studies.models import Member, Study

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


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
