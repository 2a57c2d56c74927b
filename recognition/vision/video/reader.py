"""The reader of videos: starts a confined process, checks what it says, ends it."""

from __future__ import annotations

import logging
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recognition.vision.decoding import messages, processes
from recognition.vision.errors import (
    VideoDamaged,
    VideoError,
    VideoTooCostly,
    gettext_noop,
)
from recognition.vision.video.order import Order, VideoInfo

logger = logging.getLogger(__name__)

#: Seconds without a sample after which the machine, not the video, is at fault: the child's
#: processor time ends it much earlier.
SILENCE_SECONDS = 600
#: Seconds of silence after which whoever waits is told that there is nothing new yet.
NOTICE_SECONDS = 1.0


class ReadingStalled(Exception):
    """The child got hardly any processor time, or its file does not answer."""


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A sampled frame, upright.

    Attributes:
        time_ms: milliseconds since the start of the video.
        size: width and height before the frame was scaled down, in pixels.
        rgb: uint8 ``(height, width, 3)``, at most the order's longest side along its sides.
    """

    time_ms: int
    size: tuple[int, int]
    rgb: NDArray[np.uint8]


class VideoReader:
    """Reads one video, once. A context manager: leaving it ends the child process."""

    def __init__(
        self,
        path: Path,
        order: Order | None = None,
        *,
        skipped: Callable[[], object] | None = None,
    ) -> None:
        """Open a video.

        Args:
            path: of a file that this process may read; the child gets it open.
            order: which frames, within which limits.
            skipped: called for each sample on the way to those after `order.after_ms`, and every
                second in which nothing comes.

        Raises:
            OSError: the file cannot be opened.
            VideoError: a subclass that says what is wrong, in a sentence for people.
        """
        self._order = order or Order()
        self._skipped = skipped
        self._channel, theirs = socket.socketpair()
        with path.open("rb") as file, theirs:
            self._process = processes.start(
                "recognition.vision.video.child", [theirs.fileno(), file.fileno()]
            )
        try:
            messages.send(self._channel, asdict(self._order))
            words, _pieces = self._receive()
            self.info = _info(words)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Of the child process."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[VideoFrame]:
        """The frames in order of time.

        Raises:
            VideoError: it turned out what is wrong only on the way.
            ReadingStalled: see there.
        """
        last_ms = -1
        while True:
            words, pieces = self._receive()
            if "end" in words:
                return
            if "skipped" in words:
                if self._skipped is not None:
                    self._skipped()
                continue
            try:
                frame = _frame(words, pieces, self._order, last_ms)
            except (ValueError, LookupError, TypeError) as error:
                raise self._lost(error) from error
            last_ms = frame.time_ms
            yield frame

    def close(self) -> None:
        """End the child, whatever it is doing."""
        self._channel.close()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def _receive(self) -> tuple[dict[str, Any], list[bytes]]:
        deadline = time.monotonic() + SILENCE_SECONDS
        if self._skipped is not None:
            while time.monotonic() < deadline and not self._has_something():
                self._skipped()
        try:
            words, pieces = messages.receive(self._channel, deadline)
        except (OSError, EOFError, ValueError, LookupError, TypeError) as error:
            raise self._lost(error) from error
        if "code" in words:
            raise _known_error(words)
        return words, pieces

    def _has_something(self) -> bool:
        return bool(select.select([self._channel], [], [], NOTICE_SECONDS)[0])

    def _lost(self, error: Exception) -> Exception:
        """What to say of a video whose child did not answer, or not in its right mind."""
        with suppress(subprocess.TimeoutExpired):
            # Where it has just been killed, its own status says by what.
            self._process.wait(0 if isinstance(error, TimeoutError) else 5)
        self.close()
        status = self._process.returncode
        logger.warning("a video's process ended with %s: %s", status, type(error).__name__)
        if isinstance(error, TimeoutError):
            return ReadingStalled()
        if -status in {signal.SIGXCPU, signal.SIGKILL}:
            return VideoTooCostly(gettext_noop("Reading this video takes too much memory or time."))
        return VideoDamaged(gettext_noop("The file is damaged or incomplete."))


def _info(words: dict[str, Any]) -> VideoInfo:
    said = words["info"]
    duration = said["duration_ms"]
    return VideoInfo(
        str(said["container"]), str(said["codec"]), None if duration is None else int(duration)
    )


def _frame(words: dict[str, Any], pieces: list[bytes], order: Order, last_ms: int) -> VideoFrame:
    (data,) = pieces
    height, width = map(int, words["shape"])
    own_width, own_height = map(int, words["size"])
    time_ms = int(words["time_ms"])
    if (
        not last_ms < time_ms <= order.maximum_ms
        or not 0 < max(width, height) <= order.longest_side
        or not 0 < own_width * own_height <= 5 * order.maximum_pixels
    ):
        raise ValueError("not a frame")
    rgb = np.frombuffer(data, np.uint8).reshape(height, width, 3)
    return VideoFrame(time_ms, (own_width, own_height), rgb)


def _known_error(words: dict[str, Any]) -> VideoError:
    kinds = {kind.code: kind for kind in VideoError.__subclasses__()}
    return kinds.get(words["code"], VideoDamaged)(words["template"], **words["values"])
