"""Where the sentences are kept that the next page shows: so many, in a cookie and the session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage

#: Characters of all sentences that wait for a page: of fifty refused files with long names.
MAXIMUM_CHARACTERS = 20_000


class BoundedStorage(FallbackStorage):
    """As Django's, but the oldest sentences go where nobody looks at a page.

    Each request reads the session with all that waits in it.
    """

    def _store(self, messages: Iterable[Message], *args: Any, **kwargs: Any) -> Any:
        kept: list[Message] = []
        room = MAXIMUM_CHARACTERS
        for message in reversed(list(messages)):
            room -= len(str(message.message))
            if room < 0:
                break
            kept.append(message)
        return super()._store(kept[::-1], *args, **kwargs)  # type: ignore[misc]  # (the stubs lack it)


class OwnCookieStorage(CookieStorage):
    cookie_name = "__Host-messages"


class OwnStorage(BoundedStorage):
    """With a cookie that no other host can set."""

    storage_classes = (OwnCookieStorage, SessionStorage)
