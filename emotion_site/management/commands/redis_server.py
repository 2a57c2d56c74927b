"""The Redis of `emotion_site.redis_server`, as a command."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from emotion_site import redis_server


class Command(BaseCommand):
    help = "Run Redis (or Valkey) on a Unix socket in DATA_DIR, in place of this process."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        program = redis_server.find_redis_server()
        if program is None:
            raise CommandError(redis_server.NOT_FOUND)
        redis_server.become_redis_server(program)
