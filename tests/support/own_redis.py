"""A Redis of a test's own, beside which no site runs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emotion_site.redis_server import find_redis_server
from tests.support.site import wait_until


@contextmanager
def running_redis(folder: Path) -> Iterator[Path]:
    """Start one; gives its socket."""
    program, socket = find_redis_server(), folder / "redis.sock"
    assert program is not None
    running = subprocess.Popen([program, "--port", "0", "--unixsocket", str(socket), "--save", ""])
    try:
        wait_until(socket.exists)
        yield socket
    finally:
        running.kill()
        running.wait()
