"""Where the sentences are kept that the next page shows: in a cookie that no other host can set."""

from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class OwnCookieStorage(CookieStorage):
    cookie_name = "__Host-messages"


class OwnStorage(FallbackStorage):
    """As Django's, under that name."""

    storage_classes = (OwnCookieStorage, SessionStorage)
