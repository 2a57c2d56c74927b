"""How processes are started and confined that read what people send."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
#: All of the environment that a child gets; the site's secrets are not in it.
ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL")


def start(module: str, descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
    """Start ``python -m module DESCRIPTOR…``, which inherits these descriptors and no others."""
    # Where a thread's own heap reserves addresses, those count against the child's limit.
    environment = {"MALLOC_ARENA_MAX": "1"}
    environment |= {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    # The command is this interpreter and our own module: nothing in it comes from outside.
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", module, *map(str, descriptors)],
        cwd=_ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=descriptors,
    )


def confine(memory_bytes: int, niceness: int) -> None:
    """Limit this process for its whole life; each limit where the system knows it.

    Args:
        memory_bytes: of addresses, all libraries included.
        niceness: to give way to others by.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # From the terminal; the parent decides.
    os.nice(niceness)
    for name, limit in (
        ("RLIMIT_AS", memory_bytes),
        ("RLIMIT_CORE", 0),  # What was in memory stays nowhere, if it dies.
    ):
        with suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (limit, limit))
    if sys.platform == "linux":
        # An idle child sees that its channel is closed. One at work dies with its parent.
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


def open_nothing_more() -> None:
    """From here on this process can open neither files nor sockets; what is open stays so."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def allow_processor_seconds(seconds: float) -> None:
    """Let the kernel end this process once it has used so much in all."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(ValueError):  # Where the operator's own limit is the stricter one.
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), hard))
