"""Everything `make run` does once the packages are installed."""

import logging
import os
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.demo import DEMO_EMAIL, create_demo_users
from accounts.models import User
from emotion_site import static_files
from emotion_site.health import ping_redis
from emotion_site.redis_server import NOT_FOUND, find_redis_server
from recognition.uploads import samples
from recognition.vision.errors import ModelError
from recognition.vision.manifest import read_manifest

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
        self._check()
        call_command("migrate", interactive=False, verbosity=0)
        static_files.collect()
        shown_host = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::"} else host
        users = create_demo_users() if settings.DEBUG else []
        # Before anything is said: looking for faces makes libraries talk.
        if any(password for email, password in users if email == DEMO_EMAIL):
            self._give_samples(DEMO_EMAIL)
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

    def _give_samples(self, email: str) -> None:
        """Results to look at from the first visit on."""
        # Redis may not run yet: that nobody can be told of the results is no news.
        logging.disable(logging.WARNING)
        try:
            samples.add_recognised(User.objects.get(email=email))
        except Exception as error:  # The site runs without them.
            self.stderr.write(f"  no sample photos: {error}")
        finally:
            logging.disable(logging.NOTSET)

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

    def _check(self) -> None:
        """Whatever would fail a minute later fails now, in one line."""
        try:
            read_manifest(settings.MODEL_MANIFEST)
        except ModelError as error:
            raise CommandError(f"{error} Restore it or train one with `make train`.") from None
        if settings.REDIS_IS_OURS:
            if find_redis_server() is None:
                raise CommandError(NOT_FOUND)
            try:
                ping_redis()
            except Exception:
                return  # As it should be: ours is not running yet.
            raise CommandError(f"Another copy already runs on {settings.DATA_DIR}.")
        try:
            ping_redis()
        except Exception as error:
            raise CommandError(f"REDIS_URL does not answer: {error}") from None
