"""Whoever gets their account back from somebody else gets it without that one's webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.dispatch import receiver

from accounts.access import access_ended
from recognition.models import Webhook

if TYPE_CHECKING:
    from accounts.models import User


@receiver(access_ended)
def end_webhooks(user: User, **kwargs: Any) -> None:
    Webhook.objects.for_owner(user).delete()
