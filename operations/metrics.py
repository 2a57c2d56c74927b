"""Counting and timing in any process, on any host; `emotion_site.metrics_page` shows the sums.

Every process adds up by itself and hands its sums to Redis every two seconds, from a thread of its
own: no page and no photo waits for it. So one address tells about all processes, however many web
servers and workers there are, and restarts lose no more than two seconds. Without Redis sums wait.
"""

from __future__ import annotations

import bisect
import json
import logging
import os
import socket
import threading
import time
from collections import Counter as Sums
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import redis
from django.conf import settings

from operations.redis_client import connect

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 2.0
#: Redis keys: sums of all processes; names of processes; what a process has open now, which is
#: forgotten where the process no longer tells.
SUMS_KEY = "visage:metrics:sums"
PROCESSES_KEY = "visage:metrics:processes"
OPEN_KEY = "visage:metrics:open:"
_OPEN_EXPIRES_SECONDS = 15

_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)


@dataclass(frozen=True)
class Series:
    """Something that is measured; each choice of values for its labels is counted apart.

    Attributes:
        name: as Prometheus shows it, without its suffixes.
        help: what it is, in a sentence.
        labels: names of the labels.
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def _field(self, labels: tuple[str, ...], part: str) -> str:
        """Name of one number in the hash of sums."""
        return json.dumps([self.name, labels, part])


@dataclass(frozen=True)
class Counter(Series):
    """A number that only grows."""

    def add(self, *labels: str, amount: float = 1) -> None:
        _add({self._field(labels, ""): amount})


@dataclass(frozen=True)
class Open(Series):
    """How many are open now, in all processes that run."""

    def change(self, by: int, *labels: str) -> None:
        if settings.METRICS_TOKEN:
            with _lock:
                _open[self._field(labels, "")] += by
            _start()


@dataclass(frozen=True)
class Histogram(Series):
    """Times in seconds, counted by the first of `bounds` that they do not exceed."""

    bounds: tuple[float, ...] = _QUICK

    def observe(self, seconds: float, *labels: str) -> None:
        place = bisect.bisect_left(self.bounds, seconds)
        part = str(self.bounds[place]) if place < len(self.bounds) else "+Inf"
        _add({self._field(labels, part): 1, self._field(labels, "sum"): seconds})

    @contextmanager
    def time(self, *labels: str) -> Iterator[None]:
        """Observe how long the block takes, where it ends well."""
        start = time.perf_counter()
        yield
        self.observe(time.perf_counter() - start, *labels)


HTTP_REQUESTS = Histogram(
    "visage_http_request_seconds",
    "Time until a response began.",
    ("method", "route", "status"),
)
TASKS = Histogram("visage_task_seconds", "Time that a task took.", ("task", "state"), bounds=_SLOW)
TASK_WAITED = Histogram(
    "visage_task_waited_seconds", "Time that a task waited in its queue.", ("queue",), bounds=_SLOW
)
STAGES = Histogram(
    "visage_stage_seconds",
    "Time of one photo in a stage: clean (accepting it), read, decode, detect, check, classify, "
    "save.",
    ("stage",),
)
UPLOADS_FINISHED = Counter(
    "visage_uploads_finished",
    "Uploads that ended, with the reason of those that failed.",
    ("status", "code"),
)
UPLOADS_REFUSED = Counter(
    "visage_uploads_refused", "Files that were not accepted, with the reason.", ("code",)
)
LIVE_ANSWERS = Histogram(
    "visage_live_answer_seconds", "From the arrival of a live frame until its labels leave."
)
LIVE_PROCESSING = Histogram(
    "visage_live_processing_seconds", "Time in which a thread looked at one live frame."
)
LIVE_DROPPED = Counter(
    "visage_live_frames_dropped",
    "Live frames that a newer one replaced unseen.",
)
SOCKETS = Open("visage_open_sockets", "WebSockets that are open now.", ("kind",))

ALL = (
    HTTP_REQUESTS, TASKS, TASK_WAITED, STAGES, UPLOADS_FINISHED, UPLOADS_REFUSED, LIVE_ANSWERS,
    LIVE_PROCESSING, LIVE_DROPPED, SOCKETS,
)  # fmt: skip

_lock = threading.Lock()
_sums: Sums[str] = Sums()
_open: Sums[str] = Sums()
_thread: threading.Thread | None = None


def _add(amounts: dict[str, float]) -> None:
    if settings.METRICS_TOKEN:
        with _lock:
            _sums.update(amounts)
        _start()


def _start() -> None:
    """Run the thread that hands sums over, once a process."""
    global _thread
    if _thread is None:
        with _lock:
            if _thread is None:
                _thread = threading.Thread(target=_run, name="metrics", daemon=True)
                _thread.start()


def _forget() -> None:
    """In a forked child: the sums are the parent's, and its thread did not come along."""
    global _lock, _thread
    _lock = threading.Lock()
    _thread = None
    _sums.clear()
    _open.clear()


os.register_at_fork(after_in_child=_forget)


def _run() -> None:
    client = connect()
    is_reached = True
    while True:
        time.sleep(FLUSH_SECONDS)
        try:
            flush(client)
            is_reached = True
        except redis.RedisError as error:
            if is_reached:
                logger.warning("metrics wait for Redis: %s", type(error).__name__)
            is_reached = False


def flush(client: redis.Redis) -> None:
    """Hand this process's sums over.

    Raises:
        redis.RedisError: Redis does not answer; the sums are kept.
    """
    with _lock:
        sums = _sums.copy()
        _sums.clear()
        now_open = {field: n for field, n in _open.items() if n}
    process = f"{socket.gethostname()}:{os.getpid()}"
    pipeline = client.pipeline(transaction=True)
    for field, amount in sums.items():
        pipeline.hincrbyfloat(SUMS_KEY, field, amount)
    pipeline.sadd(PROCESSES_KEY, process)
    pipeline.set(OPEN_KEY + process, json.dumps(now_open), ex=_OPEN_EXPIRES_SECONDS)
    try:
        pipeline.execute()
    except redis.RedisError:
        with _lock:
            _sums.update(sums)
        raise
