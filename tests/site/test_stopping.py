"""A web process ends when it is told to, whatever it is working on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.support.pictures import face_jpeg
from tests.support.site import Site
from tests.support.sockets import Viewer

#: As long as what runs the site waits until it kills a process.
SECONDS = 10


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Without a worker: what waits for a result waits for as long as it may."""
    site = Site(tmp_path / "site")
    site.prepare()
    site.start("redis")
    site.start("web")
    site.wait_for_web()
    yield site
    site.__exit__()


async def test_it_waits_for_no_program_that_waits_for_a_result(site: Site) -> None:
    person = site.sign_up("waits@example.org").accept_camera()
    upload = person.upload(face_jpeg()).json()

    def wait() -> None:
        with suppress(httpx.TransportError):
            person.http.get(f"/api/v1/uploads/{upload['id']}/?wait=30")

    async with Viewer(site, person).open() as live:
        assert (await live.receive())["type"] == "ready"
        with ThreadPoolExecutor(3) as programs:
            for _ in range(3):
                programs.submit(wait)
            await asyncio.sleep(1)
            await asyncio.to_thread(site.stop, "web", seconds=SECONDS)
