"""The web process's side: a few children, and whose turn it is. Safe to use from any thread."""

from __future__ import annotations

import atexit
import logging
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recognition.vision import images
from recognition.vision.decoding import messages, processes
from recognition.vision.decoding.child import WALL_SECONDS
from recognition.vision.decoding.turns import NoTurn, Turns
from recognition.vision.errors import ImageError, damaged, too_costly
from recognition.vision.headers import Header
from recognition.vision.images import CleanImage

logger = logging.getLogger(__name__)

#: Threads of one web process that may wait for a turn, those among them that may come for one
#: person, and for how long, all photos of a request together.
MAXIMUM_WAITING = 64
MAXIMUM_OF_ONE = 16
WAIT_SECONDS = 20
START_SECONDS = 30


class SupportsReadAndSeek(Protocol):
    """A binary file, or one of Django's uploads."""

    def read(self) -> bytes: ...

    def seek(self, offset: int, /) -> object: ...


class DecodingBusy(Exception):
    """Too many photos are being opened, and this one did not get there in time."""


class Patience:
    """How long one request waits for turns, with all its photos together.

    Attributes:
        left: seconds; with none left, a photo is decoded where there is a turn at once.
    """

    def __init__(self) -> None:
        self.left = float(WAIT_SECONDS)


class DecodingPool:
    """Cleans photos in child processes, which are started when they are first needed."""

    def __init__(self, folder: Path, count: int) -> None:
        """Set the limits.

        Args:
            folder: private, and shared by all web processes of the host.
            count: photos that the host decodes at once.
        """
        self._turns = Turns(folder, "turn", count)
        #: Photos that take hundreds of megabytes come one at a time, and leave turns to others.
        self._large_turns = Turns(folder, "large", 1)
        self._own_turns = threading.BoundedSemaphore(count)
        self._own_large_turn = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MAXIMUM_WAITING)
        #: One person's photos leave a turn to others, and wait for theirs in a line of their own.
        self._of_one = max(1, count - 1)
        self._lines: dict[Hashable, _Line] = {}
        self._idle: list[_Child] = []
        self._lock = threading.Lock()
        # One thread for all: a child dies with the thread that started it.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="decoding")
        atexit.register(self.close)

    def clean(
        self, file: SupportsReadAndSeek, whose: Hashable = None, patience: Patience | None = None
    ) -> CleanImage:
        """As :func:`recognition.vision.images.clean`, in bounds.

        Args:
            file: the photo as it was received. While it waits for its turn its bytes stay there.
            whose: what tells one person from another.
            patience: of the request that it came with; None where it came alone.

        Raises:
            ImageError: a subclass that says what is wrong, in a sentence for people.
            DecodingBusy: there was no turn to be had, or hardly any processor time.
        """
        header = images.check(_content(file))
        with self._turn(header, whose, patience or Patience()):
            child = self._take()
            try:
                clean = child.clean(_content(file))
            except ImageError:
                self._give_back(child)
                raise
            except BaseException as error:
                raise self._lost(child, error) from error
            self._give_back(child)
            return clean

    def close(self) -> None:
        """Let all children end that are not at work."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    @contextmanager
    def _turn(self, header: Header, whose: Hashable, patience: Patience) -> Iterator[None]:
        began = time.monotonic()
        deadline = began + patience.left
        with ExitStack() as held:
            try:
                held.enter_context(self._own_line(whose, deadline))
                self._wait(held, header, deadline)
            finally:
                patience.left = max(0.0, patience.left - (time.monotonic() - began))
            yield

    def _wait(self, held: ExitStack, header: Header, deadline: float) -> None:
        """Wait where all wait, for what `held` then has.

        Raises:
            DecodingBusy: too many do, or it took too long.
        """
        if not self._waiting.acquire(blocking=False):
            raise DecodingBusy
        try:
            if _is_large(header):
                _acquire(held, self._own_large_turn, deadline)
                held.enter_context(self._large_turns.taken(deadline))
            _acquire(held, self._own_turns, deadline)
            held.enter_context(self._turns.taken(deadline))
        except NoTurn:
            raise DecodingBusy from None
        finally:
            self._waiting.release()

    @contextmanager
    def _own_line(self, whose: Hashable, deadline: float) -> Iterator[None]:
        with self._lock:
            line = self._lines.setdefault(whose, _Line(threading.BoundedSemaphore(self._of_one)))
            if line.length >= MAXIMUM_OF_ONE:
                raise DecodingBusy
            line.length += 1
        try:
            with ExitStack() as held:
                try:
                    _acquire(held, line.places, deadline)
                except NoTurn:
                    raise DecodingBusy from None
                yield
        finally:
            with self._lock:
                line.length -= 1
                if not line.length:
                    del self._lines[whose]

    def _take(self) -> _Child:
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.is_there:
                    return child
                # The kernel killed it while it waited; no photo of anybody's is to blame.
                logger.warning("an idle decoding process ended with %s", child.end())
        return self._starter.submit(_Child).result()

    def _give_back(self, child: _Child) -> None:
        with self._lock:
            self._idle.append(child)

    def _lost(self, child: _Child, error: BaseException) -> BaseException:
        """What to say of a photo whose child did not answer."""
        status = child.end(kill=True)
        logger.warning("a decoding process ended with %s: %s", status, type(error).__name__)
        if not isinstance(error, (OSError, EOFError, ValueError, LookupError, TypeError)):
            return error  # Nothing to do with the photo, such as the end of this process.
        if -status == signal.SIGALRM or isinstance(error, TimeoutError):
            # It had not used up its processor time: the machine has too much else to do.
            return DecodingBusy()
        limits = {signal.SIGXCPU, signal.SIGKILL}
        return too_costly() if -status in limits else damaged()


@dataclass
class _Line:
    """One person's photos: how many there are, and how many of them may be where all wait."""

    places: threading.BoundedSemaphore
    length: int = 0


class _Child:
    """One child process, ready to work."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            RuntimeError: it does not start.
        """
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._process = processes.start("recognition.vision.decoding.child", [theirs.fileno()])
        try:
            messages.receive(self._channel, time.monotonic() + START_SECONDS)
        except (OSError, EOFError) as error:
            raise RuntimeError(f"decoding does not start: {self.end(kill=True)}") from error

    @property
    def is_there(self) -> bool:
        return self._process.poll() is None

    def clean(self, data: bytes) -> CleanImage:
        """Have a photo cleaned.

        Raises:
            ImageError: it says what is wrong with the photo.
            OSError, EOFError, ValueError, LookupError, TypeError: it does not answer, or not in
                its right mind.
        """
        # The child's own alarm comes first, and says more.
        deadline = time.monotonic() + WALL_SECONDS + 2
        self._channel.settimeout(WALL_SECONDS)
        messages.send(self._channel, {}, data)
        words, pieces = messages.receive(self._channel, deadline)
        if "code" in words:
            raise _known_error(words["code"])(words["template"], **words["values"])
        jpeg, thumbnail = pieces
        return CleanImage(jpeg, thumbnail, int(words["width"]), int(words["height"]))

    def end(self, *, kill: bool = False) -> int:
        """End it; returns its exit status, negative for a signal."""
        self._channel.close()
        if kill and self._process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                # Where it has just been killed, its own status says by what.
                return self._process.wait(0.5)
            self._process.kill()
        try:
            return self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _content(file: SupportsReadAndSeek) -> bytes:
    file.seek(0)
    return file.read()


def _known_error(code: str) -> type[ImageError]:
    kinds: list[type[ImageError]] = [ImageError, *ImageError.__subclasses__()]
    return {kind.code: kind for kind in kinds}[code]


def _is_large(header: Header) -> bool:
    # The decoder of WebP keeps two more copies than the others.
    pixels = header.pixels * (2 if header.format == "WEBP" else 1)
    return pixels > images.MAXIMUM_STORED_PIXELS


def _acquire(
    held: ExitStack, lock: threading.BoundedSemaphore | threading.Lock, deadline: float
) -> None:
    if not lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
        raise NoTurn
    held.callback(lock.release)
