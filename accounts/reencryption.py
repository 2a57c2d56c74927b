"""Every stored secret anew with the present key, so that earlier keys can go."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import transaction

from accounts import second_factors
from operations.encryption import EncryptedField, Undecipherable


@transaction.atomic
def reencrypt_all() -> tuple[int, int]:
    """Encrypt second factors and the encrypted fields of every model with the present key.

    Returns:
        How many secrets are encrypted with it now, and how many fit no key and are as they were.
    """
    count = lost = 0
    for authenticator in Authenticator.objects.select_for_update():
        try:
            second_factors.reencrypt(authenticator)
            count += 1
        except Undecipherable:
            lost += 1
    for model in apps.get_models():
        names = [f.name for f in model._meta.fields if isinstance(f, EncryptedField)]
        for row in model._default_manager.select_for_update() if names else ():
            readable = [name for name in names if getattr(row, name)]
            lost += len(names) - len(readable)
            count += len(readable)
            row.save(update_fields=readable)
    return count, lost
