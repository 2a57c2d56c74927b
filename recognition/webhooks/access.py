"""Whoever gets their account back from somebody else gets it without that one's webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.dispatch import receiver

from accounts.access import access_ended
from operations.row_locks import lock_to_delete
from recognition.models import Webhook

if TYPE_CHECKING:
    from accounts.models import User


@receiver(access_ended)
def end_webhooks(user: User, **kwargs: Any) -> None:
    # Else a message that is noted at this moment would undo all that ends with them.
    mine = Webhook.objects.for_owner(user)
    lock_to_delete(mine)
    mine.delete()
