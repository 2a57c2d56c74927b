"""Make the secret key of a site that has none, and keep it in DATA_DIR."""

import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from emotion_site.data_folder import keep_secret_key


class Command(BaseCommand):
    help = "Make a secret key and keep it in DATA_DIR; one that is there stays."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not settings.SECRET_KEY_FILE.exists():
            keep_secret_key(settings.SECRET_KEY_FILE, secrets.token_urlsafe(50))
