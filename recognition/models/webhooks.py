"""Webhooks, and what was sent to them."""

from __future__ import annotations

import uuid
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import OwnedQuerySet
from operations.encryption import EncryptedField
from recognition.jobs.job import Job, JobQuerySet, status_choices

#: Seconds after the first, second, … failed attempt; after the last of them it is given up.
BACK_OFF = (10, 60, 5 * 60, 30 * 60, 2 * 60 * 60)


class WebhookQuerySet(OwnedQuerySet["Webhook"]):
    owner_id = "owner_id"


class Webhook(models.Model):
    """An address of a person's own that is told when an upload is finished.

    Attributes:
        secret: key of the HMAC-SHA256 signature; shown once, encrypted in the database, and empty
            where no key fits it any more.
        is_active: switched off by the owner, or after too many failures.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="webhooks",
    )
    url = models.URLField(_("URL"), max_length=500)
    secret = EncryptedField(editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.host

    def get_absolute_url(self) -> str:
        return reverse("webhook", args=[self.pk])

    @property
    def host(self) -> str:
        """Where it leads; the rest of the address often holds a key of the other side."""
        return urlsplit(self.url).hostname or "?"


class WebhookDeliveryQuerySet(JobQuerySet["WebhookDelivery"]):
    pass


class WebhookDelivery(Job):
    """One message to a webhook: what was sent and how each attempt went.

    Attributes:
        payload: the JSON that is signed and sent; never a picture.
        subject: of what it tells: an upload, a video, a participation. The message goes with it.
        queued_at: when it is due.
        status_code: of the last answer; None where there was none.
        error: why the last attempt failed, for the owner.
    """

    owner_lookup = "webhook__owner_id"
    # Of the eight threads that send; slow receivers of one person leave the others free.
    at_once = 2

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(_("event"), max_length=40)
    payload = models.JSONField()
    subject = models.UUIDField(null=True, editable=False, db_index=True)
    status_code = models.PositiveSmallIntegerField(_("response status"), null=True)
    error = models.CharField(_("error"), max_length=300, blank=True)
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=status_choices(done=_("Delivered"), failed=_("Failed")),
        default=Job.Status.PENDING,
    )
    delivered_at = models.DateTimeField(_("delivered"), null=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook delivery")
        ordering = ["-created_at"]
        verbose_name_plural = _("webhook deliveries")
        indexes = [
            models.Index(fields=["status", "queued_at"]),
            models.Index(fields=["finished_at"]),
            models.Index(fields=["webhook", "-created_at", "-id"]),
            # The log is cut by age, and the administration lists everybody's.
            models.Index(fields=["-created_at", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.id}"

    @property
    def state(self) -> str:
        """``waiting``, ``delivered`` or ``given_up``."""
        ended = {self.Status.DONE: "delivered", self.Status.FAILED: "given_up"}
        return ended.get(self.Status(self.status), "waiting")

    @property
    def next_attempt_at(self) -> datetime | None:
        """When it is due; None where it is not waiting."""
        return self.queued_at if self.status == self.Status.PENDING else None

    @classmethod
    def maximum_attempts(cls) -> int:
        return len(BACK_OFF) + 1

    @classmethod
    def claim_seconds(cls) -> int:
        # Sending has a short limit of its own.
        return 60
