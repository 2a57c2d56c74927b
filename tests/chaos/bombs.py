"""Small files that ask for much, many at once, and what other people notice of them."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from websockets.sync.client import connect

from tests.chaos.watching import PAGES, megabytes
from tests.support.corpus_files import png
from tests.support.corpus_structures import long_comment_gif, many_scans, rle_bmp
from tests.support.pictures import face_jpeg
from tests.support.site import Person, Site, wait_until

#: Requests of one person that may arrive at the same time; see `emotion_site.request_bodies`.
AT_ONCE = 8


def bomb() -> bytes:
    """194 kB that are 50 megapixels, with transparency."""
    width, height = 8_000, 6_250
    return png(width, height, pixels=bytes((width * 4 + 1) * height), colour=6)


@dataclass(frozen=True)
class Bombs:
    """Outcome of :func:`many_bombs`.

    Attributes:
        endings: how many ended with which status and code.
        web_growth: of the web process at its peak, in MB.
        site_peak: of all processes of the site together, in MB; what they share counts once.
        photo_seconds: until somebody else's ordinary photo was accepted meanwhile, the slowest.
        pages_p95: of somebody else's pages meanwhile, in milliseconds.
        orphans: decoding processes that are left when the web process was killed.
    """

    endings: dict[str, int]
    web_growth: float
    site_peak: float
    photo_seconds: float
    pages_p95: float
    orphans: int


def many_bombs(folder: Path, count: int) -> Bombs:
    """So many bombs at once, and somebody else who looks at pages and sends photos."""
    data = bomb()
    with Site(folder) as site:
        # Of one person alone, no more than so many requests may arrive at the same time.
        n_attackers = -(-count // AT_ONCE)
        attackers = [site.sign_up(f"bombs{number}@example.org") for number in range(n_attackers)]
        other = site.sign_up("other@example.org")
        for person in (*attackers, other):
            person.http.timeout = httpx.Timeout(120)
        other.upload(face_jpeg())
        other.wait_until_finished()
        pages: list[float] = []
        photos: list[float] = []
        with (
            _watched(lambda: megabytes(site.pid("web"))) as web,
            _watched(lambda: _site_megabytes(site)) as whole,
            ThreadPoolExecutor(count) as threads,
        ):
            before = web()
            answers = [
                threads.submit(attackers[number % n_attackers].upload, data, f"{number}.png")
                for number in range(count)
            ]
            while not all(answer.done() for answer in answers):
                for path in PAGES:
                    pages.append(_timed(lambda path=path: other.get(path)))  # type: ignore[misc]
                photos.append(_timed(lambda: other.upload(face_jpeg())))
            endings = Counter(
                f"{answer.result().status_code} {_code(answer.result())}".strip()
                for answer in answers
            )
            peak, growth = whole(), web() - before
        children = _decoders(psutil.Process(site.pid("web")))
        psutil.Process(site.pid("web")).kill()
        with suppress(AssertionError):
            wait_until(lambda: not any(child.is_running() for child in children), 5)
        orphans = sum(child.is_running() for child in children)
    return Bombs(
        dict(endings),
        growth,
        peak,
        max(photos),
        1000 * statistics.quantiles(pages, n=20)[-1],
        orphans,
    )


@dataclass(frozen=True)
class Costly:
    """Outcome of :func:`costly_files`.

    Attributes:
        accepted: names of costly files that were not refused.
        slowest_refusal: seconds.
        frames_refused: of the costly live frames.
        live_gap: the longest time between two answers on somebody else's live page, in seconds.
    """

    accepted: tuple[str, ...]
    slowest_refusal: float
    frames_refused: int
    live_gap: float


def costly_files(folder: Path, n_frames: int) -> Costly:
    """Files and live frames that take seconds to decode, beside somebody else's live page."""
    files = {
        "scans.jpg": many_scans(640, 480, 500)[: 10 * 1024 * 1024],
        "scans-36883.jpg": many_scans(24, 24, 36_883),
        "rle.bmp": rle_bmp(7_000, 250),
        "comment.gif": long_comment_gif(38_000),
    }
    frame = many_scans(24, 24, 36_883)[: 512 * 1024]
    accepted, refusals = [], []
    with Site(folder) as site:
        attacker, other = site.sign_up("costly@example.org"), site.sign_up("other@example.org")
        attacker.accept_camera()
        other.accept_camera()
        with _live_page(site, other) as longest_gap:
            for name, data in files.items():
                start = time.monotonic()
                answer = attacker.upload(data, name)
                refusals.append(time.monotonic() - start)
                if answer.status_code == 201:
                    accepted.append(name)
            refused = 0
            for _ in range(n_frames):
                with _live_socket(site, attacker) as live:
                    live.recv(timeout=60)
                    live.send(frame)
                    refused += b"image_too_costly" in str(live.recv(timeout=60)).encode()
            gap = longest_gap()
    return Costly(tuple(accepted), max(refusals), refused, gap)


def _live_socket(site: Site, person: Person) -> connect:  # type: ignore[valid-type]
    cookie = person.session
    address = site.url.replace("http", "ws") + "/ws/live/"
    return connect(address, origin=site.url, additional_headers={"Cookie": cookie})


@contextmanager
def _live_page(site: Site, person: Person) -> Iterator[Callable[[], float]]:
    """Send one frame after the other; yields what tells the longest gap between two answers."""
    gaps = [0.0]
    stop = threading.Event()
    with _live_socket(site, person) as live:  # type: ignore[attr-defined]
        live.recv(timeout=60)

        def look() -> None:
            live.send(face_jpeg())
            live.recv(timeout=60)

        look()

        def run() -> None:
            while not stop.is_set():
                gaps.append(_timed(look))

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield lambda: max(gaps)
        finally:
            stop.set()
            thread.join()


@contextmanager
def _watched(measure: Callable[[], float]) -> Iterator[Callable[[], float]]:
    """Measure again and again; yields what tells the most so far."""
    most = [measure()]
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            with suppress(psutil.NoSuchProcess):
                most[0] = max(most[0], measure())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: most[0]
    finally:
        stop.set()
        thread.join()


def _site_megabytes(site: Site) -> float:
    total = 0
    for supervisor in site.supervisors():
        for process in (supervisor, *supervisor.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, FileNotFoundError):
                total += process.memory_full_info().pss
    return total / 1e6


def _decoders(web: psutil.Process) -> Sequence[psutil.Process]:
    return [child for child in web.children() if "decoding.child" in " ".join(child.cmdline())]


def _timed(action: Callable[[], object]) -> float:
    start = time.monotonic()
    action()
    return time.monotonic() - start


def _code(answer: httpx.Response) -> str:
    return str(answer.json().get("code", "")) if answer.status_code != 201 else ""
