"""The child: ``python -m recognition.vision.decoding.child DESCRIPTOR``.

It cleans one photo after the other until nobody is there to send one. Whatever happens to it, only
the photo of the moment is lost.
"""

from __future__ import annotations

import resource
import signal
import socket
import sys
from contextlib import suppress

from recognition.vision import images
from recognition.vision.decoding import messages, processes
from recognition.vision.errors import ImageError, too_costly
from recognition.vision.images import CleanImage

#: Bytes of addresses: the interpreter takes 30 MB of them, and the worst accepted photo 430 MB.
MEMORY_BYTES = 560 * 1024 * 1024
#: For one photo. The worst accepted one takes two on a slow core.
PROCESSOR_SECONDS = 6
#: For one photo; on a busy machine a process waits for the processor.
WALL_SECONDS = 30


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    # Pages before photos, photos before what workers do.
    processes.confine(MEMORY_BYTES, niceness=2)
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


def _begin() -> None:
    """Limits for one photo; beyond each of them the kernel ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    processes.allow_processor_seconds(int(used.ru_utime + used.ru_stime) + PROCESSOR_SECONDS)
    signal.alarm(WALL_SECONDS)


if __name__ == "__main__":
    main()
