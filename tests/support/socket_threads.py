"""The threads in which sockets of the application ask the database."""

from __future__ import annotations

import threading

from django.db import connections

from operations.threads_in_turn import Threads


def wait_for(threads: Threads) -> None:
    """Until all of them have done what they began, and have no connection any more.

    Channels' communicators keep connections open that a site would close.
    """
    together = threading.Barrier(threads.n + 1)

    def finish() -> None:
        connections.close_all()
        together.wait()

    for _ in range(threads.n):
        threads.pool.submit(finish)
    together.wait()
