"""Memory of a worker after many photos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import redis

from recognition.jobs import broker
from tests.chaos.watching import (
    megabytes,
    upload_many,
    worker_children,
)
from tests.support.pictures import face_jpeg
from tests.support.site import Site, wait_until

#: Where photos wait for workers.
QUEUES = ("interactive", "bulk")


@dataclass(frozen=True)
class Memory:
    """Outcome of :func:`many_photos`: MB of the largest worker child, and of the web process."""

    child_early: float
    child_late: float
    web: float


def many_photos(folder: Path, n_early: int, n_photos: int) -> Memory:
    """Photos through one worker, and its memory after some and after all."""
    with Site(folder) as site:
        person = site.sign_up("many@example.org")

        def largest_child() -> float:
            return max(megabytes(child.pid) for child in worker_children(site))

        def upload_and_wait(count: int) -> None:
            for start in range(0, count, 100):
                upload_many(person, face_jpeg(), min(100, count - start))
                wait_until(lambda: _waiting(site) == 0, 300, every=0.5)

        upload_and_wait(n_early)
        early = largest_child()
        upload_and_wait(n_photos - n_early)
        return Memory(early, largest_child(), megabytes(site.pid("web")))


def _waiting(site: Site) -> int:
    client = redis.Redis(unix_socket_path=str(site.data_dir / "redis.sock"))
    parts = [part for name in QUEUES for part in broker.lists(name)]
    return sum(int(client.llen(part)) for part in parts) + int(client.hlen("unacked"))
