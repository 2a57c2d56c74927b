"""What experiments on a running site have in common: sending, and what is watched meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
import psutil

from tests.support.site import Person, Site

PAGES = ("/", "/uploads/", "/about/", "/live/")
#: Seconds after a fault's end within which everything must have ended.
FIVE_MINUTES = 300


def megabytes(pid: int) -> float:
    """Resident memory of a process."""
    return psutil.Process(pid).memory_info().rss / 1e6


def worker_children(site: Site) -> list[psutil.Process]:
    return psutil.Process(site.pid("worker")).children()


def upload_many(person: Person, photo: bytes, count: int, name: str = "{}.jpg") -> None:
    for number in range(count):
        response = person.upload(photo, name.format(number))
        assert response.status_code == 201, response.text


def statuses(uploads: Sequence[dict[str, Any]]) -> Counter[str]:
    return Counter(upload["status"] for upload in uploads)


def error_code(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("code", ""))
    except ValueError:
        return ""


@contextlib.contextmanager
def peak_memory(pid: int) -> Iterator[Callable[[], float]]:
    """Watch a process; the yielded function tells its growth so far, in MB."""
    before = peak = megabytes(pid)
    stop = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.02):
            peak = max(peak, megabytes(pid))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: peak - before
    finally:
        stop.set()
        thread.join()
