"""Who works on a study: invite, take up, change, remove, leave, hand over.

Whether an email address has an account is told to nobody: every invitation looks the same. Who has
joined with another address than the invited one is shown by it: invitations may be passed on.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts import audit
from accounts.access import access_ended, refuse_if_ended
from accounts.adapter import ASKED_FOR_RATE
from accounts.addresses import mailbox
from operations import mails
from recognition import quotas
from recognition.personal_data import export
from recognition.refusals import Refusal, check_rate
from recognition.webhooks import deliveries
from studies import access
from studies.models import Member, Study

if TYPE_CHECKING:
    from accounts.models import User

#: Mails that one person may have sent, and members of one study.
RATE, MAXIMUM_MEMBERS = "30/h", 50
#: Times that one person may be asked to become an owner, by whomever: each is mailed, out of the
#: mails that tell of changes to their account. Changes of roles that one owner may make.
OFFERS, CHANGES = "5/d", "60/h"
#: Days for which an invitation can be taken up.
INVITATION_DAYS = 14


class TeamRefused(Refusal):
    """Something that a team does not allow; the message says what."""

    code, status = "team_refused", 409


def invite(study: Study, email: str, role: str, actor: User) -> str:
    """Invite somebody by mail; whoever was invited before and has not come gets a new key.

    Returns:
        The link, for the owner to pass on where no mail is sent.

    Raises:
        TeamRefused: they are in the team, or it is full.
        PermissionDenied: the owner's access has ended since the request was let in.
        TooOften: the owner has sent too many mails, or the mailbox has had too many.
        NotSent: the mail server did not take it; the invitation stands, and can be sent anew.
    """
    check_rate("study invitations", actor.pk, RATE)
    email, key = email.strip().lower(), secrets.token_urlsafe(24)
    # Whoever it is to: a mailbox gets so many mails of what anybody can ask for.
    check_rate("mails", mailbox(email), ASKED_FOR_RATE)
    with transaction.atomic():
        refuse_if_ended(actor)
        locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        member = locked.members.filter(email=email).first()
        if email == actor.email.lower() or (member and member.user_id):
            raise TeamRefused(_("%(email)s is in the team already.") % {"email": email})
        if member is None and locked.members.count() >= MAXIMUM_MEMBERS:
            raise TeamRefused(_("The team has %(n)d members already.") % {"n": MAXIMUM_MEMBERS})
        member = member or Member(study=locked, email=email)
        member.role, member.key_hash = Member.Role(role), hashes_of(key)[0]
        member.invited_at = timezone.now()
        # Not who it is: somebody may take an earlier invitation up at this moment.
        fields = None if member._state.adding else ["role", "key_hash", "invited_at"]
        member.save(update_fields=fields)
        audit.record("study_member_invited", actor, actor, f"study:{study.pk}")
    link = settings.SITE_URL + reverse("studies:join", args=[key])
    context = {"title": study.title, "role": member.get_role_display(), "link": link}
    # A title may have line breaks, a subject may not.
    subject = " ".join(render_to_string("studies/email/invitation_subject.txt", context).split())
    mails.send(subject, render_to_string("studies/email/invitation_message.txt", context), email)
    return link


def invited(key: str) -> Member | None:
    """The invitation that a key opens, if it was not taken up."""
    found = Member.objects.filter(key_hash__in=hashes_of(key), user=None, invited_at__gt=_oldest())
    return found.select_related("study__owner").first()


def join(key: str, user: User) -> Study:
    """Take an invitation up.

    Raises:
        TeamRefused: the key opens nothing any more, or the person is in the team.
    """
    with transaction.atomic():
        person = quotas.lock(user.pk)
        found = _open_invitation(key)
        if found is None:
            raise TeamRefused(_("This invitation was used or withdrawn."))
        study = found.study
        if study.owner_id == person.pk or study.members.filter(user=person).exists():
            raise TeamRefused(_("You are in this team already."))
        found.user, found.key_hash = person, ""
        found.save(update_fields=["user", "key_hash"])
        # Its owner learns who it was: an invitation may have been passed on.
        for one in {person, study.owner}:
            audit.record("study_joined", one, person, f"study:{study.pk}")
    return study


def _open_invitation(key: str) -> Member | None:
    rows = Member.objects.select_for_update(no_key=True)
    return rows.filter(key_hash__in=hashes_of(key), user=None, invited_at__gt=_oldest()).first()


def _oldest() -> datetime:
    return timezone.now() - timedelta(days=INVITATION_DAYS)


def change_role(member: Member, role: str, actor: User) -> None:
    """Make an editor a viewer, or the other way round.

    Raises:
        ValueError: there is no such role.
        TeamRefused: they are no member any more.
        TooOften: the owner has changed too many; each is written into the member's trail.
    """
    if member.role == Member.Role(role):
        return
    check_rate("study roles", actor.pk, CHANGES)
    member.role = Member.Role(role)
    with transaction.atomic():
        _lock(member.study_id)
        if not Member.objects.filter(pk=member.pk).update(role=member.role):
            raise TeamRefused(_("This member was removed meanwhile."))
        if member.role != Member.Role.EDITOR:
            _forget_offer(member.study_id, member.user_id)
        _record("study_role_changed", member.study_id, actor, member.user)


def remove(member: Member, actor: User) -> None:
    """Take somebody out of the team, or an invitation back."""
    with transaction.atomic():
        _lock(member.study_id)
        found = Member.objects.select_for_update(no_key=True, of=("self",)).filter(pk=member.pk)
        gone = found.select_related("user").first()
        if gone is None:
            return  # Removed by another window, or gone by themselves.
        _forget_offer(gone.study_id, gone.user_id)
        gone.delete()
        _record("study_member_removed", gone.study_id, actor, gone.user)


def leave(study: Study, user: User) -> None:
    """Leave a team."""
    with transaction.atomic():
        _lock(study.pk)
        n_left, _by_model = study.members.filter(user=user).delete()
        if n_left:
            _forget_offer(study.pk, user.pk)
            _record("study_left", study.pk, user, user)


def offer(member: Member, owner: User) -> None:
    """Ask an editor to become the owner; until they accept, nothing changes.

    Raises:
        TeamRefused: the member is no editor who has come.
        PermissionDenied: the owner's access has ended since the request was let in.
        TooOften: they were asked too often.
    """
    with transaction.atomic():
        refuse_if_ended(owner)
        study = Study.objects.select_for_update(no_key=True).get(pk=member.study_id, owner=owner)
        _refuse_deleted(study)
        asked = study.members.filter(pk=member.pk, role=Member.Role.EDITOR).first()
        if asked is None or asked.user is None:
            raise TeamRefused(_("Only an editor who has joined can become the owner."))
        if study.next_owner_id == asked.user.pk:
            return  # Asked already, and told.
        check_rate("study offers", asked.user.pk, OFFERS)
        study.next_owner = asked.user
        study.save(update_fields=["next_owner"])
        for person in (owner, asked.user):
            audit.record("study_offered", person, owner, f"study:{study.pk}")


@receiver(access_ended)
def _end_what_is_open(user: User, **kwargs: Any) -> None:
    """Invitations and an offer, which somebody else may have sent from their account.

    Who has joined stays: the owner finds them on the team's page, and in the activity list.
    """
    is_open = ~Q(next_owner=None) | Q(pk__in=Member.objects.filter(user=None).values("study"))
    mine = Study.objects.filter(is_open, owner_id=user.pk).order_by("pk")
    list(mine.select_for_update(no_key=True, of=("self",)).values_list("pk"))
    Study.objects.filter(owner_id=user.pk).exclude(next_owner=None).update(next_owner=None)
    invited = Member.objects.filter(study__owner_id=user.pk, user=None)
    ended = [(user.pk, f"study:{pk}") for pk in invited.values_list("study_id", flat=True)]
    audit.record_each("study_member_removed", ended, None)
    invited.delete()


def decline(study: Study, actor: User) -> bool:
    """The editor who was asked declines, or the owner takes it back; False where nobody is asked.

    Raises:
        Study.DoesNotExist: it is not for `actor` to say.
    """
    with transaction.atomic():
        rows = Study.objects.select_for_update(of=("self",), no_key=True).select_related(
            "owner", "next_owner"
        )
        locked = rows.get(Q(owner=actor) | Q(next_owner=actor), pk=study.pk)
        asked = locked.next_owner
        if asked is None:
            return False
        locked.next_owner = None
        locked.save(update_fields=["next_owner"])
        for person in (locked.owner, asked):
            audit.record("study_offer_ended", person, actor, f"study:{study.pk}")
    return True


def take_over(study: Study, new: User) -> None:
    """The editor who was asked becomes the owner; the owner before is then an editor.

    Raises:
        TeamRefused: nobody asks any more, they are no editor now, or whoever may not create
            studies would own one, or more than their storage holds.
    """
    with transaction.atomic():
        # Of both, always in the same order. Closing an account locks its row, too: what is deleted
        # with it is nobody else's.
        both = get_user_model().objects.filter(pk__in=(study.owner_id, new.pk)).order_by("pk")
        closing = {
            one.pk for one in both.select_for_update(no_key=True) if one.deletion_requested_at
        }
        new = quotas.lock(new.pk)
        rows = Study.objects.select_for_update(of=("self",), no_key=True).select_related("owner")
        locked = rows.filter(pk=study.pk, owner=study.owner_id, next_owner=new).first()
        editors = Member.objects.select_for_update(no_key=True).filter(
            user=new, role=Member.Role.EDITOR
        )
        mine = editors.filter(study=study).first()
        if locked is None or mine is None or locked.owner_id in closing:
            raise TeamRefused(_("You are not asked to become the owner any more."))
        _refuse_deleted(locked)
        if not access.may_create(new):
            raise TeamRefused(_("On this site you may not own studies."))
        owner = locked.owner
        mine.delete()
        locked.members.filter(email=owner.email.lower()).delete()
        Member.objects.create(
            study=locked, email=owner.email.lower(), user=owner, role=Member.Role.EDITOR
        )
        locked.owner, locked.next_owner = new, None
        locked.save(update_fields=["owner", "next_owner"])
        # What they have exported would outlive whoever withdraws from here on; and what their
        # webhooks are still to be told of participants is not for them any more.
        export.forget(owner.pk)
        deliveries.forget(locked.participations.values_list("pk", flat=True), owner_id=owner.pk)
        # With what the study takes, which counts as theirs from here on.
        if not quotas.stored_bytes(new).has_room_for(0):
            raise TeamRefused(_("Your storage has no room for this study."))
        for person in (owner, new):
            audit.record("study_handed_over", person, new, f"study:{locked.pk}")


def _refuse_deleted(study: Study) -> None:
    """Nobody gets a study that is about to go, or going."""
    if study.delete_on is not None and study.delete_on <= timezone.now().date():
        raise TeamRefused(_("The deletion date has passed."))


def _lock(study_id: UUID) -> None:
    """Lock a study's row before rows of its members, as everybody does: else two would wait for
    each other."""
    list(Study.objects.select_for_update(no_key=True).filter(pk=study_id).values_list("pk"))


def _record(action: str, study_id: UUID, actor: User, whose: User | None) -> None:
    """Write down what happened to the team, for who it happened to and for the study's owner."""
    owner = get_user_model().objects.filter(studies=study_id).first()
    for person in filter(None, {owner, whose}):
        audit.record(action, person, actor, f"study:{study_id}")


def _forget_offer(study_id: UUID, user_id: int | None) -> None:
    """Whoever is no editor any more is not asked any more."""
    if user_id is not None:
        Study.objects.filter(pk=study_id, next_owner_id=user_id).update(next_owner=None)


def hashes_of(key: str) -> list[str]:
    """What is stored of an invitation's key; behind it, what earlier ``SECRET_KEY`` made of it."""
    return [
        salted_hmac("studies.team", key, secret=secret, algorithm="sha256").hexdigest()
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]
