"""The site as its Procfile runs it, in a folder and on a port of its own."""

from __future__ import annotations

import atexit
import fcntl
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit, urlunsplit

import httpx
import psutil
import psycopg
from honcho.environ import parse_procfile
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent.parent


#: Below those that kernels give to outgoing connections.
_PORTS = range(20_000, 32_000)
#: Locks on ports that this process was given; they end with it.
_own_ports: list[IO[bytes]] = []


def free_port() -> int:
    """A port of this machine that no other process of tests is given while this one lives."""
    folder = Path(tempfile.gettempdir()) / f"visage-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for port in random.Random().sample(_PORTS, len(_PORTS)):
        lock = (folder / str(port)).open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _own_ports.append(lock)
        return port
    raise RuntimeError("no port is free")


def own_database(url: str) -> str:
    """Make a database on the same server; sites that shared one would do each other's work."""
    name = f"site_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@cache
def prepared_folder() -> Path:
    """A migrated SQLite database and the static files, made once and copied into each new site."""
    folder = Path(tempfile.mkdtemp(prefix="visage-prepared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # Without a DATABASE_URL the database is a file of the folder.
    site = Site(folder, DATABASE_URL=f"sqlite:///{folder / 'db.sqlite3'}")
    site.manage("migrate", "--verbosity", "0")
    site.manage("collectstatic", "--no-input", "--verbosity", "0")
    (folder / "secret_key").unlink(missing_ok=True)
    return folder


def wait_until(condition: Callable[[], Any], timeout: float = 60, every: float = 0.2) -> Any:
    """Ask until the answer is true, and return it; fail after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s; last answer: {answer!r}")
        time.sleep(every)
    return answer


def is_alive(process: psutil.Process) -> bool:
    """Whether it still holds files and connections; one that only waits for burial does not."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Site:
    """Real Redis, Daphne, worker and scheduler; each can be stopped, killed and started."""

    PROCESSES = ("redis", "web", "worker", "webhooks", "scheduler")

    def __init__(self, data_dir: Path, *, code: Path = ROOT, **environment: str) -> None:
        """``code`` is the folder of another version of the project, where it is not this one."""
        data_dir.mkdir(parents=True, exist_ok=True)
        self.data_dir = data_dir
        self.code = code
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{k: v for k, v in os.environ.items() if k not in {"REDIS_URL"}},
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "DJANGO_SETTINGS_MODULE": "emotion_site.settings",
            "DEBUG": "true",
            "DATA_DIR": str(data_dir),
            "PORT": str(self.port),
            "SITE_PORT": str(self.port),
            "SITE_URL": self.url,
            "PYTHONUNBUFFERED": "1",
            # Benchmarks and tests ask faster than people may; those of the limits set their own.
            "API_RATE": "100000/min",
            "API_UPLOAD_RATE": "100000/min",
            "FORM_RATE": "100000/min",
            "HEAT_MAP_RATE": "100000/min",
            "ANONYMOUS_RATE": "",
            "QUOTA_UPLOADS_A_DAY": "",
            "QUOTA_BYTES": "",
            # Built by the tests of it alone, whatever this copy's own folder holds.
            "DOCUMENTATION_ROOT": str(data_dir / "documentation"),
            **environment,
        }
        if "DATABASE_URL" in os.environ and "DATABASE_URL" not in environment:
            self.environment["DATABASE_URL"] = own_database(os.environ["DATABASE_URL"])
        self._commands = parse_procfile((code / "Procfile").read_text()).processes
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.prepare()
        for name in self.PROCESSES:
            self.start(name)
        try:
            wait_until(self.is_healthy, timeout=90)
        except AssertionError:
            self.__exit__()
            raise AssertionError(f"the site did not come up:\n{self.log()}") from None
        return self

    def __exit__(self, *exception: object) -> None:
        for label in reversed(list(self._running)):
            self.kill(label)

    def prepare(self) -> None:
        """Migrate the database and collect the static files, or copy where that was done."""
        is_new = self.code == ROOT and not any(self.data_dir.iterdir())
        if is_new:
            shutil.copytree(prepared_folder(), self.data_dir, dirs_exist_ok=True)
        if not is_new or "DATABASE_URL" in self.environment:
            self.manage("migrate", "--verbosity", "0")
        if not is_new:
            self.manage("collectstatic", "--no-input", "--verbosity", "0")

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a management command in the site's environment."""
        return subprocess.run(
            [sys.executable, str(self.code / "manage.py"), *arguments],
            env=self.environment,
            cwd=self.code,
            check=check,
            capture_output=True,
            text=True,
        )

    def start(self, name: str, label: str = "", **environment: str) -> None:
        """Start a process of the Procfile; another of the same kind needs a label of its own."""
        label = label or name
        with (self.data_dir / f"{label}.log").open("ab") as log:
            self._running[label] = subprocess.Popen(
                ["sh", "-c", self._commands[name]],
                env={**self.environment, **environment},
                cwd=self.code,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def pid(self, label: str) -> int:
        """The number of the process itself, which runs below its supervisor."""
        supervisor = psutil.Process(self._running[label].pid)
        (process,) = wait_until(lambda: [c for c in supervisor.children() if c.name() != "sleep"])
        return int(process.pid)

    def supervisors(self) -> list[psutil.Process]:
        """What was started; the processes themselves run below."""
        return [psutil.Process(process.pid) for process in self._running.values()]

    def kill(self, label: str) -> None:
        """SIGKILL the process and all its children at once, as the kernel would; wait for it.

        Until the kernel has taken a process apart, its connections are open: Redis would hand
        the next message to a worker that is already dead.
        """
        process = self._running.pop(label, None)
        if process is not None:
            group = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            wait_until(lambda: not any(map(is_alive, group)), every=0.01)

    def stop(self, label: str, *, seconds: float = 60) -> None:
        """End a process as an operator does: what it has not begun goes back into the queue.

        Fails where that takes longer.
        """
        process = self._running[label]
        process.terminate()
        process.wait(timeout=seconds)
        del self._running[label]

    def is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def wait_for_web(self) -> None:
        """Wait until pages are served, whatever else is not running."""

        def answers() -> bool:
            try:
                return httpx.get(f"{self.url}/about/", timeout=10).status_code == 200
            except httpx.TransportError:
                return False

        wait_until(answers, timeout=90)

    def log(self) -> str:
        return "\n".join(
            f"--- {file.name}\n{file.read_text()[-3000:]}"
            for file in sorted(self.data_dir.glob("*.log"))
        )

    def sign_up(self, email: str, password: str = "a-good-password-7") -> Person:
        """A new person, signed up through the site's own form."""
        person = Person(self.url)
        form = {"email": email, "password1": password, "password2": password, "consent": "on"}
        response = person.post("/accounts/signup/", data=form)
        assert response.status_code == 302, response.text
        return person


class Person:
    """Somebody with a browser's cookies."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60, headers={"Origin": url})
        self.http.get("/accounts/login/")

    def cookie(self, name: str) -> str:
        """The value of a cookie; outside debug its name begins with ``__Host-``."""
        cookies = self.http.cookies
        return str(cookies[name if name in cookies else f"__Host-{name}"])

    @property
    def session(self) -> str:
        """The session as a Cookie header."""
        names = ("__Host-sessionid", "sessionid")
        return "; ".join(f"{n}={self.http.cookies[n]}" for n in names if n in self.http.cookies)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        headers = {"X-CSRFToken": self.cookie("csrftoken")}
        return self.http.post(path, headers=headers, **options)

    def accept_camera(self) -> Self:
        """Agree to the notice of the live page."""
        assert self.post("/accounts/consent/camera/").status_code == 204
        return self

    def make_token(self, scope: str, password: str = "a-good-password-7") -> str:
        """A new API token, by the pages; returns its key."""
        self.post("/accounts/reauthenticate/", data={"password": password})
        form = {"name": f"{scope} {uuid.uuid4().hex[:8]}", "scope": scope, "days": "7"}
        found = re.search(
            r'id="key" value="(\w+)"', self.post("/accounts/tokens/new/", data=form).text
        )
        assert found is not None
        return found[1]

    def delete_for_good(self, upload_id: str) -> None:
        """Move a photo to the trash, and delete it from there."""
        form = {"upload": upload_id, "action": "delete", "sure": "yes"}
        assert self.post("/uploads/selected/", data=form).is_redirect
        assert self.post("/uploads/trash/selected/", data=form).is_redirect

    def upload(self, data: bytes, name: str = "photo.jpg") -> httpx.Response:
        return self.post("/api/v1/uploads/", files={"image": (name, data)})

    def uploads(self) -> list[dict[str, Any]]:
        """All of one's uploads, newest first."""
        found: list[dict[str, Any]] = []
        path: str | None = "/api/v1/uploads/?page_size=200"
        while path:
            page = self.get(path).json()
            found += page["results"]
            path = page["next"]
        return found

    def wait_until_finished(self, timeout: float = 120) -> list[dict[str, Any]]:
        """Wait until every upload has ended, and return them."""

        def finished() -> list[dict[str, Any]] | None:
            uploads = self.uploads()
            ended = all(upload["status"] in {"done", "failed"} for upload in uploads)
            return uploads if ended else None

        result: list[dict[str, Any]] = wait_until(finished, timeout)
        return result
