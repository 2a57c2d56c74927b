"""Add, test and switch a person's webhooks."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _

from accounts import access, audit
from operations.row_locks import lock_to_delete
from recognition import quotas
from recognition.models import Webhook, WebhookDelivery
from recognition.refusals import Refusal, check_rate
from recognition.webhooks import deliveries, sending

if TYPE_CHECKING:
    from accounts.models import User

#: Webhooks that one person may have.
MAXIMUM_WEBHOOKS = 10


class TooManyWebhooks(Refusal):
    """Somebody has as many as there may be."""

    code, status = "too_many_webhooks", 409


def add(owner: User, url: str) -> Webhook:
    """Keep an address, with a new secret.

    Raises:
        AddressRefused: the address may not be sent to.
        TooManyWebhooks: the owner has :data:`MAXIMUM_WEBHOOKS`.
        TooOften: more addresses were looked up than :data:`settings.WEBHOOK_RATE`.
    """
    check_rate("webhooks", owner.pk, settings.WEBHOOK_RATE)
    sending.check_address(url)
    with transaction.atomic():
        quotas.lock(owner.pk)
        access.refuse_if_ended(owner)
        if Webhook.objects.for_owner(owner).count() >= MAXIMUM_WEBHOOKS:
            raise TooManyWebhooks(
                _("You have %(count)d webhooks, which is the maximum.")
                % {"count": MAXIMUM_WEBHOOKS}
            )
        webhook = Webhook.objects.create(
            owner=owner, url=url, secret=f"whsec_{secrets.token_urlsafe(32)}"
        )
        audit.record("webhook_added", owner, owner, f"webhook:{webhook.pk}")
    return webhook


def delete(webhook: Webhook) -> None:
    """Delete a webhook on its owner's behalf, with its log and all that waits to be sent."""
    with transaction.atomic():
        if lock_to_delete(Webhook.objects.filter(pk=webhook.pk)):
            audit.record("webhook_deleted", webhook.owner, webhook.owner, f"webhook:{webhook.pk}")
            webhook.delete()


def ping(webhook: Webhook) -> WebhookDelivery:
    """Send a test message soon.

    Raises:
        TooOften: there were more than :data:`settings.PING_RATE`.
        Http404: the webhook was deleted meanwhile.
    """
    check_rate("pings", webhook.owner_id, settings.PING_RATE)
    try:
        return deliveries.record_ping(webhook)
    except Webhook.DoesNotExist:
        raise Http404 from None


def switch(webhook: Webhook, *, on: bool) -> None:
    """Switch a webhook on, or off with everything that waits for it."""
    webhook.is_active = on
    mine = Webhook.objects.filter(pk=webhook.pk)
    if on:
        mine.update(is_active=True)
    else:
        deliveries.switch_off(mine)
