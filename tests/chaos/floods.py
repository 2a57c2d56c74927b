"""What one person, or anybody, may do to a running site without others noticing."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.chaos.watching import peak_memory
from tests.support.pictures import astronaut, encode, face_jpeg
from tests.support.site import Person, Site, wait_until


def dripping(folder: Path, n_connections: int, grace: float = 20) -> dict[str, float]:
    """Requests that send a byte a second: seconds until the last connection of each kind ended."""
    kinds = {
        "head": b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Drip: ",
        "small body": b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Length: 50000\r\n\r\n",
        "large body": b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Length: 5000000\r\nCookie: %s\r\n\r\n",
    }
    site = Site(folder, REQUEST_GRACE_SECONDS=str(grace))
    site.PROCESSES = ("redis", "web")
    site.prepare()
    site.start("redis")
    site.start("web")
    try:
        site.wait_for_web()
        person = site.sign_up("drips@example.org")
        cookie = person.session.encode()
        ended: dict[str, float] = {}
        threads = []
        for kind, begin in kinds.items():
            head = begin % cookie if b"%s" in begin else begin
            for _ in range(n_connections):
                threads.append(threading.Thread(target=_drip, args=(site.port, head, kind, ended)))
        for thread in threads:
            thread.start()
        assert person.get("/uploads/").status_code == 200
        for thread in threads:
            thread.join()
        return ended
    finally:
        site.__exit__()


def _drip(port: int, begin: bytes, kind: str, ended: dict[str, float]) -> None:
    """Send a byte a second until the server has enough, at most for five minutes."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(begin)
        while time.monotonic() - began < 300:
            try:
                connection.sendall(b"x")
                if not connection.recv(4096):
                    break
                # An answer, and the end of the connection after it.
            except TimeoutError:
                continue
            except OSError:
                break
    ended[kind] = max(ended.get(kind, 0.0), time.monotonic() - began)


@contextmanager
def page_times(fetch: Callable[[], object], every: float = 0.1) -> Iterator[list[float]]:
    """Look at a page again and again; yields the seconds that each took, in order."""
    seconds: list[float] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(every):
            began = time.monotonic()
            fetch()
            seconds.append(time.monotonic() - began)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seconds
    finally:
        stop.set()
        thread.join()


def wait_for(condition: Callable[[], object], timeout: float) -> float:
    """Seconds until a condition is true."""
    began = time.monotonic()
    wait_until(condition, timeout, every=0.05)
    return time.monotonic() - began


@dataclass(frozen=True)
class Noise:
    """Outcome of :func:`noise`: milliseconds of pages, growth of the web process in MB, and how
    often a noisy socket was closed and opened again."""

    median: float
    p95: float
    growth: float
    n_closed: int


def noise(site: Site, path: str, payload: bytes, n_sockets: int, seconds: float) -> Noise:
    """Sockets that send a frame again and again, as fast as they can, beside somebody's pages."""
    noisy, calm = (site.sign_up(f"{name}-{len(payload)}@example.org") for name in ("noisy", "calm"))
    noisy.accept_camera()
    block = masked_frame(payload) * max(1, 65536 // (len(payload) + 14))
    end = time.monotonic() + seconds
    closed: list[int] = []

    def shout() -> None:
        while time.monotonic() < end:
            with suppress(OSError), open_socket(site, noisy, path) as connection:
                connection.settimeout(1)
                while time.monotonic() < end:
                    connection.sendall(block)
            closed.append(1)

    threads = [threading.Thread(target=shout) for _ in range(n_sockets)]
    with peak_memory(site.pid("web")) as growth:
        with page_times(lambda: calm.get("/uploads/").raise_for_status()) as times:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        times.sort()
        return Noise(
            statistics.median(times) * 1000,
            times[int(len(times) * 0.95)] * 1000,
            growth(),
            len(closed),
        )


def open_socket(site: Site, person: Person, path: str, port: int | None = None) -> socket.socket:
    """A WebSocket after its handshake, without a library that would slow the client down."""
    connection = socket.create_connection(("127.0.0.1", port or site.port), timeout=10)
    lines = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port or site.port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nOrigin: http://127.0.0.1:{port or site.port}\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Cookie: {person.session}\r\n\r\n"
    )
    connection.sendall(lines.encode())
    head = b""
    while b"\r\n\r\n" not in head and (byte := connection.recv(1)):
        head += byte
    if not head.startswith(b"HTTP/1.1 101"):
        connection.close()
        raise ConnectionRefusedError(head.decode("latin-1"))
    return connection


def masked_frame(payload: bytes) -> bytes:
    """A binary frame of a client; masked by zeros, which change nothing."""
    length = len(payload)
    if length < 126:
        size = bytes([0x80 | length])
    elif length < 65536:
        size = bytes([0x80 | 126]) + length.to_bytes(2, "big")
    else:
        size = bytes([0x80 | 127]) + length.to_bytes(8, "big")
    return b"\x82" + size + bytes(4) + payload


def close_code(connection: socket.socket, timeout: float = 10) -> int:
    """Read until the server's close frame; returns its code."""
    connection.settimeout(timeout)
    received = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += piece
    # Short frames alone: the close frame is the last.
    start = received.rfind(b"\x88")
    return int.from_bytes(received[start + 2 : start + 4], "big") if start >= 0 else 1006


@dataclass(frozen=True)
class Shares:
    """Outcome of :func:`fair_shares`: seconds from the worker's first result until another person's
    photo and heat map were there, and how many of the first person's photos were done before."""

    photo: float
    heat_map: float
    n_before: int


def fair_shares(folder: Path, n_jobs: int) -> Shares:
    """One person's many photos wait for two workers; another then sends one, and asks why."""
    with Site(folder, WORKERS="2") as site:
        many, one = (site.sign_up(f"{name}@example.org") for name in ("many", "one"))
        assert one.upload(face_jpeg()).status_code == 201
        (explained,) = one.wait_until_finished()
        # All of it is there before the worker is: however fast that is, there is a choice to make.
        site.kill("worker")
        photo = encode(astronaut().resize((1024, 1024)))
        for number in range(n_jobs):
            assert many.upload(photo, f"{number}.jpg").status_code == 201
        assert one.upload(face_jpeg()).status_code == 201
        assert one.post(f"/uploads/{explained['id']}/faces/0/explain/").status_code == 302
        site.start("worker")
        wait_until(lambda: _finish_times(many), 60, every=0.05)
        heat_map = f"/uploads/{explained['id']}/faces/0/heat-map.png"
        heat_map_seconds = wait_for(lambda: one.get(heat_map).status_code == 200, 300)
        many.wait_until_finished(300)
        one.wait_until_finished()
        theirs, mine = sorted(_finish_times(many)), max(_finish_times(one))
        return Shares(
            max(0.0, (mine - theirs[0]).total_seconds()),
            heat_map_seconds,
            sum(time < mine for time in theirs),
        )


def _finish_times(person: Person) -> list[datetime]:
    uploads = person.uploads()
    return [datetime.fromisoformat(u["finished_at"]) for u in uploads if u["finished_at"]]


_ADD_WEBHOOKS = """
from accounts.models import User
from recognition.models import Webhook
from recognition.webhooks import deliveries
for email, port, count in (("slow@example.org", {slow}, 10), ("quick@example.org", {quick}, 1)):
    owner = User.objects.get(email=email)
    hooks = [
        Webhook.objects.create(owner=owner, url=f"http://127.0.0.1:{{port}}/{{n}}", secret="x")
        for n in range(count)
    ]
    for number in range({n_slow} if count > 1 else 1):
        deliveries.record_ping(hooks[number % count])
"""


def slow_webhooks(folder: Path, n_slow: int) -> float:
    """Receivers of one person that never answer: seconds until another person's has its message."""
    with (
        Site(folder, WEBHOOK_ALLOW_PRIVATE="true") as site,
        socket.create_server(("127.0.0.1", 0), backlog=200) as slow,
        socket.create_server(("127.0.0.1", 0)) as quick,
    ):
        for name in ("slow", "quick"):
            site.sign_up(f"{name}@example.org")
        site.kill("webhooks")
        ports = {"slow": slow.getsockname()[1], "quick": quick.getsockname()[1]}
        site.manage("shell", "--command", _ADD_WEBHOOKS.format(n_slow=n_slow, **ports))
        site.start("webhooks")
        slow.settimeout(60)
        connections = [slow.accept()[0]]  # The worker is there, and has begun with the slow ones.
        began = time.monotonic()
        quick.settimeout(300)
        connections.append(quick.accept()[0])
        seconds = time.monotonic() - began
        for connection in connections:
            connection.close()
        return seconds
