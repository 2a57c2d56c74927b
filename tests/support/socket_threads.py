"""The threads in which sockets of the application ask the database."""

from __future__ import annotations

import threading

from emotion_site.socket_threads import Threads


def wait_for(threads: Threads) -> None:
    """Until all of them have done what they began."""
    together = threading.Barrier(threads.n + 1)
    for _ in range(threads.n):
        threads.pool.submit(together.wait)
    together.wait()
