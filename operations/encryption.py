"""Encryption of secrets at rest: a copy of the database alone opens nothing.

The key comes from the environment: FIELD_ENCRYPTION_KEY, or else SECRET_KEY. Both may have
predecessors, which still decrypt; `manage.py reencrypt` makes them unnecessary.
"""

from __future__ import annotations

import base64
import logging
from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

logger = logging.getLogger(__name__)

#: What an encrypted text begins with; what does not was stored before there was encryption.
PREFIX = "enc1:"


class Undecipherable(Exception):
    """None of the keys fits."""


def encrypt(text: str) -> str:
    """Encrypt with the present key; AES-128-CBC with HMAC-SHA256, which is what Fernet is."""
    return PREFIX + _fernet(_keys()).encrypt(text.encode()).decode()


def decrypt(text: str) -> str:
    """The text as it was before; one that was never encrypted is returned as it is.

    Raises:
        Undecipherable: it was encrypted with a key that is not set any more.
    """
    if not text.startswith(PREFIX):
        return text
    try:
        return _fernet(_keys()).decrypt(text.removeprefix(PREFIX)).decode()
    except InvalidToken:
        logger.error("a stored secret fits no key: see FIELD_ENCRYPTION_KEY, SECRET_KEY_FALLBACKS")
        raise Undecipherable from None


class EncryptedField(models.TextField):
    """Text that is encrypted in the database alone; empty where no key fits any more.

    It cannot be searched: the same text is stored in another form each time.
    """

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value if value is None or value.startswith(PREFIX) else encrypt(value)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        if value is None:
            return None
        try:
            return decrypt(value)
        except Undecipherable:
            return ""


def _keys() -> tuple[str, ...]:
    own: list[str] = settings.FIELD_ENCRYPTION_KEYS
    return tuple(own) or (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@cache
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"visage field encryption 1")
    return base64.urlsafe_b64encode(derivation.derive(key.encode()))
