"""People, known by their e-mail address."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Self, TypeVar

from django.apps import apps
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import purposes


class UserManager(DjangoUserManager["User"]):
    """Makes users without a user name."""

    def _create(self, email: str, password: str | None, **fields: Any) -> User:
        if not email:
            raise ValueError("An e-mail address is needed.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_user(  # type: ignore[override]
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        return self._create(email, password, **fields)

    def create_superuser(  # type: ignore[override]
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        """Whoever may run this command has the server: the address is taken to be theirs.

        Else their second factor would end with the first reset of their password by mail.
        """
        user = self._create(email, password, is_staff=True, is_superuser=True, **fields)
        addresses = apps.get_model("account", "EmailAddress").objects
        addresses.create(user=user, email=user.email, primary=True, verified=True)
        return user


class User(AbstractUser):
    """Someone who signs in with an e-mail address and a password.

    Attributes:
        photo_retention_days: days after which a photo is deleted and its results are kept; 0
            for at once, None for the operator's default. Never more than the operator's maximum.
        access_ended_at: when all that opened the account, or was about to, last ended.
        deletion_requested_at: when they closed their account; a task begins to delete it at once.
        deletion_due_at: when that task counts as lost; moved on while one is at it.
        quota_uploads_a_day, quota_bytes, quota_live_minutes_a_day: set by an operator; None for
            the default.
    """

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("email address"), unique=True)
    photo_retention_days = models.PositiveIntegerField(
        _("keep photos for (days)"), null=True, blank=True
    )
    access_ended_at = models.DateTimeField(null=True, editable=False)
    deletion_requested_at = models.DateTimeField(null=True, editable=False)
    deletion_due_at = models.DateTimeField(null=True, editable=False)
    quota_uploads_a_day = models.PositiveIntegerField(_("uploads per day"), null=True, blank=True)
    quota_bytes = models.PositiveBigIntegerField(_("storage (bytes)"), null=True, blank=True)
    quota_live_minutes_a_day = models.PositiveIntegerField(
        _("live minutes per day"), null=True, blank=True
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    objects = UserManager()  # type: ignore[misc]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        """As :class:`UserManager` does: one address is one account, however forms spell it."""
        super().clean()
        self.email = self.email.lower()

    @classmethod
    def from_db(
        cls,
        db: str | None,
        field_names: Collection[str],
        values: Collection[Any],
        **options: Any,
    ) -> Self:
        user = super().from_db(db, field_names, values, **options)
        user._note_stored()
        return user

    def refresh_from_db(self, *args: Any, **options: Any) -> None:
        super().refresh_from_db(*args, **options)
        self._note_stored()

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Write what has changed since the row was read, and nothing else.

        A request that has read it before staff disabled the person, or before they got a new
        password, would otherwise undo that by saving a name.
        """
        stored = self.__dict__.get("_stored")
        if update_fields is None and stored is not None and not options.get("force_insert"):
            missing = object()
            now = self._loaded()
            update_fields = {name for name in now if now[name] != stored.get(name, missing)}
        super().save(update_fields=update_fields, **options)
        self._note_stored()

    def get_session_auth_hash(self) -> str:
        """What a session keeps of the password, so that it ends with it.

        Django makes it with ``SECRET_KEY``, and gives each session another key where that has
        changed, whoever asks whose it is: sockets, the list of sessions and what looks at the head
        of a large request cannot tell the browser, and no list of sessions would know it. What
        keeps others from signing in is the session's own key; this only has to change with the
        password, whose hash has a salt.
        """
        return hashlib.sha256(f"session:{self.password}".encode()).hexdigest()

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """None: it is the same under each ``SECRET_KEY``."""
        return iter(())

    def _note_stored(self) -> None:
        self._stored = self._loaded()

    def _loaded(self) -> dict[str, Any]:
        """The row's columns, without those that were left out when it was read."""
        names = (field.attname for field in self._meta.concrete_fields)
        return {name: self.__dict__[name] for name in names if name in self.__dict__}


Row = TypeVar("Row", bound=models.Model)


class OwnedQuerySet(models.QuerySet[Row]):
    """Rows that belong to a person."""

    #: Where a row has that person's id.
    owner_id = "user_id"

    def for_owner(self, user: User | AnonymousUser) -> Self:
        """The rows that `user` may see: the one place that decides it."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(**{self.owner_id: user.pk})


class Consent(models.Model):
    """That a person agreed to something, in which version of its text, and when.

    Attributes:
        withdrawn_at: when they changed their mind; a new consent is a new row.
    """

    user = models.ForeignKey(
        User, verbose_name=_("person"), on_delete=models.CASCADE, related_name="consents"
    )
    purpose = models.CharField(_("purpose"), max_length=20, choices=purposes.choices)
    version = models.CharField(_("text version"), max_length=20)
    given_at = models.DateTimeField(_("given"), auto_now_add=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-given_at"]
        indexes = [models.Index(fields=["user", "purpose"])]

    def __str__(self) -> str:
        return f"{self.purpose} {self.version}"


class AuditEvent(models.Model):
    """Something that happened to a person's account or data; written once, never changed.

    Attributes:
        user: whose account or data; the person sees these events, and they go with the account.
        actor: who did it; None for the system.
        action: such as ``signed_in`` or ``photo_viewed_by_staff``; see `accounts.audit`.
        target: what it concerns, as ``kind:id``; never a name or a picture.
        details: small, and free of personal data.
    """

    user = models.ForeignKey(
        User, verbose_name=_("person"), on_delete=models.CASCADE, related_name="audit_events"
    )
    actor = models.ForeignKey(
        User, verbose_name=_("performed by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    action = models.CharField(_("action"), max_length=40)
    target = models.CharField(_("object"), max_length=80, blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True)
    at = models.DateTimeField(_("time"), auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["user", "-at", "-id"]),
            # The administration lists everybody's.
            models.Index(fields=["-at", "-id"]),
        ]

    def __str__(self) -> str:
        return self.action


class ApiToken(models.Model):
    """A named key for programs. Only its hash is stored; the key itself is shown once.

    Attributes:
        prefix: the first characters of the key, by which its owner recognises it.
        key_sha256: of the whole key, in hexadecimal. A plain hash suffices: keys are random.
        scope: what it opens: the API to read, the API to read and change, or the live socket alone.
        expires_at: None for never.
    """

    class Scope(models.TextChoices):
        READ = "read", _("Read")
        WRITE = "write", _("Read and write")
        LIVE = "live", _("Live frames (WebSocket)")

    user = models.ForeignKey(
        User, verbose_name=_("person"), on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=16, editable=False)
    key_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    scope = models.CharField(_("scope"), max_length=10, choices=Scope, default=Scope.READ)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="one_token_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()
