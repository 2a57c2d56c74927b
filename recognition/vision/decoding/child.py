"""The child: ``python -m recognition.vision.decoding.child DESCRIPTOR``.

It cleans one photo after the other until nobody is there to send one. Whatever happens to it, only
the photo of the moment is lost.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
from contextlib import suppress

from recognition.vision import images
from recognition.vision.decoding import messages
from recognition.vision.errors import ImageError
from recognition.vision.headers import too_costly
from recognition.vision.images import CleanImage

#: Bytes of addresses: the interpreter takes 30 MB of them, and the worst accepted photo 430 MB.
MEMORY_BYTES = 560 * 1024 * 1024
#: For one photo. The worst accepted one takes two on a slow core.
PROCESSOR_SECONDS = 6
#: For one photo; on a busy machine a process waits for the processor.
WALL_SECONDS = 30


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    _confine()
    messages.send(channel, {"ready": True})
    with suppress(EOFError, ConnectionError):
        while True:
            _words, (data,) = messages.receive(channel)
            _begin()
            _answer(channel, data)
            del data
            signal.alarm(0)


def _answer(channel: socket.socket, data: bytes) -> None:
    clean = _cleaned(data)
    if isinstance(clean, ImageError):
        words = {"code": clean.code, "template": clean.template, "values": clean.values}
        messages.send(channel, words)
    else:
        size = {"width": clean.width, "height": clean.height}
        messages.send(channel, size, clean.jpeg, clean.thumbnail_jpeg)


def _cleaned(data: bytes) -> CleanImage | ImageError:
    try:
        return images.clean(data)
    except ImageError as error:
        return error.with_traceback(None)
    except MemoryError:
        pass
    # Only here: until then the exception holds on to what took the memory.
    return too_costly()


def _confine() -> None:
    """Limits for the whole life; each where the system knows it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # From the terminal; the web process decides.
    os.nice(2)  # Pages before photos, photos before what workers do.
    for name, limit in (
        ("RLIMIT_AS", MEMORY_BYTES),
        ("RLIMIT_CORE", 0),  # What was in memory stays nowhere, if it dies.
    ):
        with suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (limit, limit))
    if sys.platform == "linux":
        # An idle child sees that its channel is closed. One at work dies with the web process.
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


def _begin() -> None:
    """Limits for one photo; beyond each of them the kernel ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + PROCESSOR_SECONDS
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(ValueError):  # Where the operator's own limit is the stricter one.
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))
    signal.alarm(WALL_SECONDS)


if __name__ == "__main__":
    main()
