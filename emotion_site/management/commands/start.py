"""Everything `make run` does once the packages are installed."""

import os
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from emotion_site import first_start, static_files

#: Names in the Procfile.
REDIS, OTHERS = "redis", ("web", "worker", "webhooks", "scheduler")


class Command(BaseCommand):
    help = "Prepare the database and static files, then run the whole site until Ctrl-C."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        host = os.environ.setdefault("HOST", "127.0.0.1")
        port = settings.PORT
        for number in range(settings.WEB_PROCESSES):
            self._check_port(host, port + number)
        try:
            first_start.check()
        except first_start.CannotStart as error:
            raise CommandError(str(error)) from None
        call_command("migrate", interactive=False, verbosity=0)
        static_files.collect()
        shown_host = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::"} else host
        users, no_samples = first_start.create_people() if settings.DEBUG else ([], None)
        if no_samples is not None:
            self.stderr.write(f"  no sample photos: {no_samples}")
        self.stdout.write(self.style.SUCCESS(f"\n  Visage: http://{shown_host}:{port}\n"))
        if settings.DEBUG:
            for email, password in users:
                if password:
                    self.stdout.write(f"  sign in with {email} and password {password}")
                else:
                    self.stdout.write(f"  sign in with {email} (password shown at first start)")
        self.stdout.write("  stop with Ctrl-C\n")
        self.stdout.flush()
        processes = [REDIS, *OTHERS] if settings.REDIS_IS_OURS else [*OTHERS]
        environment = {
            **os.environ,
            # Not PORT: honcho gives each process a PORT of its own.
            "SITE_PORT": str(port),
            # Made of PORT where nobody has set it.
            "SITE_URL": settings.SITE_URL,
            "DATA_DIR": str(settings.DATA_DIR),
            "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),
            "PYTHONUNBUFFERED": "1",
        }
        honcho = ["-m", "honcho", "--app-root", str(settings.BASE_DIR), "start"]
        honcho += ["--concurrency", f"web={settings.WEB_PROCESSES}", *processes]
        os.execve(sys.executable, [sys.executable, *honcho], environment)

    def _check_port(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise CommandError(
                    f"Cannot listen on {host}:{port}: {error.strerror}. Choose another with PORT."
                ) from None
