"""A study: what is asked, who answers for it, who works on it, and how people come in."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


def new_key() -> str:
    """An unguessable part of a link, 128 bits."""
    return secrets.token_urlsafe(16)


class StudyQuerySet(models.QuerySet["Study"]):
    def for_team(self, user: User | AnonymousUser, *roles: str) -> Self:
        """Studies that `user` owns, or works on in one of `roles` (any, where none is named)."""
        if not user.is_authenticated:
            return self.none()
        members = Member.objects.filter(user_id=user.pk)
        if roles:
            members = members.filter(role__in=roles)
        return self.filter(Q(owner_id=user.pk) | Q(pk__in=members.values("study_id")))


class Study(models.Model):
    """One study.

    Attributes:
        next_owner: the editor who was asked to become its owner, and has not answered yet.
        consent_text: what participants agree to; a change of it, of `information` or of
            `minimum_age` after the opening is a new version.
        languages: codes of the languages that participants may choose from.
        order: how the blocks that may move are put in order for each participant.
        most_participants: who finished, and who is taking part, together.
        ends_on: the last day (UTC) on which people can come in; None for no end.
        delete_on: the day (UTC) on which everything of the study is deleted.
        link_key: of the link that lets anybody in; empty where only personal links do.
        return_url: where a panel's participants are sent at the end.
        forbidden_uses_confirmed_at: when its owner confirmed that it is not about people at work
            or in education.
        n_came: how often its first page was opened by somebody new to it; who, is not known.
        n_withdrawn: how many withdrew; nothing else is left of them.
        last_number: the highest that a participant ever had.
        exclude_below: participants with a face in a smaller share of the frames, from 0 to 1, are
            left out of results.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        OPEN = "open", pgettext_lazy("status of a study", "Open")
        CLOSED = "closed", pgettext_lazy("status of a study", "Closed")

    class Order(models.TextChoices):
        FIXED = "fixed", _("As listed")
        RANDOM = "random", _("Random for each participant")
        LATIN_SQUARE = "latin_square", _("Latin square")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="studies",
    )
    next_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("next owner"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        editable=False,
    )
    title = models.CharField(_("title"), max_length=120)
    question = models.TextField(_("research question"), max_length=2000, blank=True)
    responsible_name = models.CharField(_("person responsible"), max_length=120, blank=True)
    institution = models.CharField(_("institution"), max_length=200, blank=True)
    contact_email = models.EmailField(_("contact email"), blank=True)
    ethics_reference = models.CharField(_("ethics reference"), max_length=120, blank=True)
    information = models.TextField(_("information for participants"), max_length=10_000, blank=True)
    consent_text = models.TextField(_("consent text"), max_length=10_000, blank=True)
    consent_version = models.PositiveIntegerField(default=1)
    languages = models.JSONField(_("languages"), default=list)
    minimum_age = models.PositiveSmallIntegerField(
        _("minimum age"), default=18, validators=[MaxValueValidator(120)]
    )
    most_participants = models.PositiveIntegerField(
        _("most participants"),
        default=50,
        validators=[MinValueValidator(1), MaxValueValidator(2000)],
    )
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    delete_on = models.DateField(_("deletion date"), null=True, blank=True)
    order = models.CharField(
        _("order of the blocks"), max_length=20, choices=Order, default=Order.FIXED
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    link_key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    is_link_open = models.BooleanField(_("anybody with the link can take part"), default=True)
    return_url = models.URLField(_("return URL"), blank=True)
    forbidden_uses_confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    n_came = models.PositiveIntegerField(default=0, editable=False)
    n_withdrawn = models.PositiveIntegerField(default=0, editable=False)
    last_number = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    exclude_below = models.FloatField(
        _("least share of frames with a face"),
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name = _("study")
        verbose_name_plural = _("studies")
        ordering = ["-created_at", "id"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("studies:study", args=[self.pk])

    @property
    def takes_people_in(self) -> bool:
        """Whether somebody new may come in, as far as time and status say."""
        today = timezone.now().date()
        return self.status == self.Status.OPEN and (self.ends_on is None or today <= self.ends_on)


class Condition(models.Model):
    """A group of participants who see blocks of their own; people are spread evenly over them."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="conditions")
    name = models.CharField(_("name"), max_length=60)

    class Meta:
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["study", "name"], name="one_condition_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """Somebody who works on another's study.

    Attributes:
        email: to which the invitation went.
        user: who took it up; None until then.
        key_hash: of the key in the invitation; empty once it was taken up.
    """

    class Role(models.TextChoices):
        EDITOR = "editor", _("Editor: changes the study, sees the data")
        VIEWER = "viewer", _("Viewer: sees the data")

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="members")
    email = models.EmailField(_("email"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.CASCADE,
        related_name="study_memberships",
        null=True,
        blank=True,
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.VIEWER)
    key_hash = models.CharField(max_length=64, blank=True, editable=False)
    invited_at = models.DateTimeField(_("invited"), default=timezone.now)

    class Meta:
        verbose_name = _("team member")
        verbose_name_plural = _("team members")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["study", "email"], name="one_member_an_email"),
            models.UniqueConstraint(fields=["study", "user"], name="one_membership_a_person"),
        ]

    def __str__(self) -> str:
        return self.email


class PersonalLink(models.Model):
    """A link that lets one person in, once.

    Attributes:
        label: the researcher's own code for whoever gets it; becomes the participation's
            `external_id`.
        key: the unguessable part of the link.
        attributes: of the participant, as the researcher's list of codes gave them, by name.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="personal_links")
    label = models.CharField(_("code"), max_length=80)
    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    attributes = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("personal link")
        verbose_name_plural = _("personal links")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["study", "label"], name="one_link_a_label")]

    def __str__(self) -> str:
        return self.label
