"""A real Daphne to measure: a process, a port, a folder and people of its own."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
from honcho.environ import parse_procfile

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60.0

#: Makes people and signs them in, without passwords, which would take longer than what follows.
_MAKE_PEOPLE = """
import json, sys
import django
django.setup()
from django.test import Client
from accounts.models import User
cookies = []
for number in range(int(sys.argv[1])):
    client = Client()
    client.force_login(User.objects.create(email=f"bench-{number}@example.org"))
    cookies.append(client.cookies["sessionid"].value)
print(json.dumps(cookies))
"""


class LiveServer:
    """The site's web process as the Procfile runs it; live frames need nothing else.

    Attributes:
        url: such as ``http://127.0.0.1:40000``.
        process: for reading its memory, threads and files.
    """

    def __init__(self, n_people: int) -> None:
        self._n_people = n_people
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="visage-bench-")
        self._environment = {
            **os.environ,
            "DEBUG": "true",
            "DATA_DIR": self._folder.name,
            "SITE_PORT": str(self._port),
            "HOST": "127.0.0.1",
            "DJANGO_SETTINGS_MODULE": "emotion_site.settings",
            "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),
        }
        self._manage("migrate", "--verbosity", "0")
        made = self._run([sys.executable, "-c", _MAKE_PEOPLE, str(self._n_people)])
        #: The Cookie header of each person.
        self.cookies = [f"sessionid={value}" for value in json.loads(made)]
        command = parse_procfile((ROOT / "Procfile").read_text()).processes["web"]
        self._log = (Path(self._folder.name) / "web.log").open("wb")
        self._daphne = subprocess.Popen(  # noqa: S603 (the line that the site itself runs)
            ["/bin/sh", "-c", command],
            cwd=ROOT,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self.process = psutil.Process(self._daphne.pid)
        self._wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.killpg(self._daphne.pid, signal.SIGTERM)
        self._daphne.wait()
        self._log.close()
        self._folder.cleanup()

    def memory(self) -> float:
        """Resident memory, in MB."""
        return float(self.process.memory_info().rss) / 1e6

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                with urlopen(f"{self.url}/about/", timeout=5):  # noqa: S310 (our own)
                    return
            except (HTTPError, OSError):
                time.sleep(0.2)
        log = Path(self._log.name).read_text()
        raise RuntimeError(f"The server did not start: {log}")

    def _manage(self, *arguments: str) -> None:
        self._run([sys.executable, "manage.py", *arguments])

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(  # noqa: S603 (our own commands)
            command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{shlex.join(command)} failed: {done.stderr}")
        return done.stdout
