"""Does the process of this container work?

Usage: healthcheck.py web|worker|webhooks|scheduler|valkey

It runs every few seconds, so it loads no Django where it need not.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

DATA_DIR = Path(os.environ.get("DATA_DIR", "/data"))
#: The scheduler writes its file every three minutes.
SCHEDULE_SECONDS = 400


def web() -> bool:
    """It answers, as the site that it is known as."""
    host = urlsplit(os.environ.get("SITE_URL", "http://localhost:8000")).netloc
    port = os.environ.get("WEB_PORT", "8000")
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/healthz/live", headers={"Host": host}
    )
    # The URL is written above, and leads to this host alone (S310).
    with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310
        return bool(answer.status == 200)


def valkey() -> bool:
    """It answers at its socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(4)
        connection.connect(str(DATA_DIR / "redis.sock"))
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")


def scheduler() -> bool:
    """It has lately written down what it sent."""
    written = max(file.stat().st_mtime for file in DATA_DIR.glob("celerybeat-schedule*"))
    return time.time() - written < SCHEDULE_SECONDS


def _worker(name: str) -> None:
    """In place of this process, ask a worker of this host for a sign of life."""
    celery = [sys.executable, "-m", "celery", "--app", "emotion_site", "inspect", "ping"]
    wanted = ["--timeout", "8", "--destination", f"{name}@{socket.gethostname()}"]
    # `-I` kept the folder out of the path; Celery needs the site in it.
    os.execve(sys.executable, [*celery, *wanted], {**os.environ, "PYTHONPATH": os.getcwd()})


def main() -> int:
    process = sys.argv[1]
    if process in {"worker", "webhooks"}:
        _worker("celery" if process == "worker" else process)
    try:
        return 0 if {"web": web, "valkey": valkey, "scheduler": scheduler}[process]() else 1
    except (OSError, ValueError) as error:
        # What a container engine shows of a check that failed (T201).
        print(f"{process}: {error}", file=sys.stderr)  # noqa: T201 (what it is for)
        return 1


if __name__ == "__main__":
    sys.exit(main())
