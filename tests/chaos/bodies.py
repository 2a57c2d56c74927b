"""What is sent to a running site that should not be: hostile files, bodies without an end."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.chaos.watching import (
    FIVE_MINUTES,
    error_code,
    peak_memory,
    worker_children,
)
from tests.support.corpus import ACCEPTED, corpus
from tests.support.pictures import face_jpeg
from tests.support.site import Site, wait_until


@dataclass(frozen=True)
class Hostile:
    """Outcome of :func:`hostile_files`."""

    sent: int
    server_errors: int
    wrong_endings: tuple[str, ...]
    worker_deaths: int
    slowest_refusal: float


def hostile_files(folder: Path, every: int = 1) -> Hostile:
    """Send the corpus to a running site."""
    wrong, refusals = [], []
    server_errors = sent = 0
    with Site(folder) as site:
        person = site.sign_up("hostile@example.org")
        wait_until(lambda: worker_children(site))
        before = {child.pid for child in worker_children(site)}
        for file in itertools.islice(corpus(), 0, None, every):
            start = time.monotonic()
            answer = person.upload(file.data, file.name)
            seconds = time.monotonic() - start
            sent += 1
            server_errors += answer.status_code >= 500
            ending = "accepted" if answer.status_code == 201 else error_code(answer)
            if ending not in file.endings:
                wrong.append(f"{file.name}: {ending}")
            if file.endings.isdisjoint(ACCEPTED):
                refusals.append(seconds)
        uploads = person.wait_until_finished(FIVE_MINUTES)
        deaths = len(before - {child.pid for child in worker_children(site)})
        wrong += [f"{u['name']}: {u['error']}" for u in uploads if u["status"] != "done"]
    return Hostile(sent, server_errors, tuple(wrong), deaths, max(refusals))


@dataclass(frozen=True)
class HugeBody:
    """Outcome of :func:`huge_bodies`: what the server said, bytes it took, and growth in MB."""

    answer: str
    megabytes_taken: float
    growth: float


def huge_bodies(folder: Path, n_megabytes: int) -> dict[str, HugeBody]:
    """A body without a length over HTTP, and a message over a WebSocket, as large as one likes."""
    block = bytes(1_000_000)
    outcomes = {}
    with Site(folder) as site:
        person = site.sign_up("huge@example.org")
        person.accept_camera()
        person.upload(face_jpeg())
        person.wait_until_finished()
        taken = 0

        def body() -> Iterator[bytes]:
            nonlocal taken
            yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
            for _ in range(n_megabytes):
                yield block
                taken += 1
            yield b"\r\n--b--\r\n"

        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        with peak_memory(site.pid("web")) as growth:
            try:
                answer = person.http.post(
                    "/api/v1/uploads/",
                    content=body(),
                    headers={**headers, "X-CSRFToken": person.cookie("csrftoken")},
                    timeout=120,
                )
                said = f"{answer.status_code} {error_code(answer)}".strip()
            except httpx.TransportError as error:
                said = f"cut off ({type(error).__name__})"
            outcomes["HTTP"] = HugeBody(said, taken, growth())
        taken = 0

        def message() -> Iterator[bytes]:
            nonlocal taken
            for _ in range(n_megabytes):
                yield block
                taken += 1

        cookie = person.session
        address = site.url.replace("http", "ws") + "/ws/live/"
        with peak_memory(site.pid("web")) as growth:
            try:
                with connect(
                    address, origin=site.url, additional_headers={"Cookie": cookie}
                ) as live:
                    live.send(message())
                    live.recv(timeout=30)
                    live.recv(timeout=30)
                said = "taken"
            except (WebSocketException, OSError) as error:
                said = f"cut off ({type(error).__name__})"
            outcomes["WebSocket"] = HugeBody(said, taken, growth())
        assert person.get("/").status_code == 200
    return outcomes
