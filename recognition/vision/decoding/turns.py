"""How many decode at once on a host, across all its web processes.

A turn is a lock on one of a few files in a folder that they share. The kernel gives it back
whatever becomes of its process, and no server needs to be there.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Seconds between two looks whether another process has let go of its turn.
_LOOK_SECONDS = 0.01


class NoTurn(Exception):
    """All were taken for as long as one was willing to wait."""


class Turns:
    """So many at once."""

    def __init__(self, folder: Path, name: str, count: int) -> None:
        """Share them with whoever uses the same folder and name; it is made on first use."""
        self._folder = folder
        self._files = [folder / f"{name}-{number}.lock" for number in range(count)]

    @contextmanager
    def taken(self, deadline: float) -> Iterator[None]:
        """Hold one.

        Args:
            deadline: of ``time.monotonic``.

        Raises:
            NoTurn: none became free until then.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptors = [os.open(file, os.O_RDWR | os.O_CREAT, 0o600) for file in self._files]
        try:
            while not any(map(_locked, descriptors)):
                if time.monotonic() >= deadline:
                    raise NoTurn
                time.sleep(_LOOK_SECONDS)
            yield
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
