"""What second factors keep: encrypted, as everything that would sign somebody in."""

from __future__ import annotations

import base64
import secrets

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator

from operations import encryption

#: What of an authenticator's data is a secret, or a list of them.
SECRETS = ("secret", "seed")
LISTS = ("migrated_codes",)


class MFAAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """What was encrypted; where no key fits, something that no code is right for."""
        try:
            return encryption.decrypt(encrypted_text)
        except encryption.Undecipherable:
            return base64.b32encode(secrets.token_bytes(20)).decode()


def reencrypt(authenticator: Authenticator) -> None:
    """Store with the present key what is stored with another, or with none.

    Raises:
        Undecipherable: nothing was changed.
    """
    data = dict(authenticator.data)
    for name in SECRETS:
        if name in data:
            data[name] = encryption.encrypt(encryption.decrypt(data[name]))
    for name in LISTS:
        if name in data:
            data[name] = [encryption.encrypt(encryption.decrypt(one)) for one in data[name]]
    authenticator.data = data
    authenticator.save(update_fields=["data"])
