"""However many requests come at once, a web process works on a few, and on everybody's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from recognition.vision.decoding.turns import Turns
from tests.support.pictures import face_jpeg
from tests.support.site import Person, Site, wait_until

pytestmark = pytest.mark.site

AT_ONCE = 6
#: More than PostgreSQL has connections.
FLOOD = 160
#: What a web process has beside those of its requests: the main one, Redis', the pools'.
OTHER_THREADS = 30


def test_a_flood_of_one_persons_pages_leaves_room_for_others(tmp_path: Path) -> None:
    with Site(tmp_path, PAGES_AT_ONCE=str(AT_ONCE)) as site:
        person = site.sign_up("asks-for-much@example.org")
        other = site.sign_up("asks-for-little@example.org")
        process = psutil.Process(site.pid("web"))
        limits = httpx.Limits(max_connections=FLOOD)
        head = {"Cookie": person.session}
        with (
            httpx.Client(base_url=site.url, limits=limits, timeout=120, headers=head) as many,
            ThreadPoolExecutor(FLOOD) as pool,
        ):
            asked = [pool.submit(many.get, "/statistics/") for _ in range(FLOOD)]
            threads = []
            while not all(one.done() for one in asked):
                threads.append(process.num_threads())
                assert other.get("/uploads/").status_code == 200
            assert {one.result().status_code for one in asked} == {200}
        assert max(threads) <= AT_ONCE + OTHER_THREADS


def test_who_waits_for_a_result_holds_nobody_up(tmp_path: Path) -> None:
    site = Site(tmp_path, PAGES_AT_ONCE="1")
    # Nobody looks at photos.
    site.PROCESSES = ("redis", "web")
    site.prepare()
    try:
        site.start("redis")
        site.start("web")
        site.wait_for_web()
        person = site.sign_up("waits@example.org")
        upload = person.upload(face_jpeg()).json()
        with ThreadPoolExecutor(5) as pool:
            path = f"/api/v1/uploads/{upload['id']}/?wait=10"
            waiting = [pool.submit(person.get, path) for _ in range(5)]
            n_pages = 0
            while not all(one.done() for one in waiting):
                assert person.get("/about/").status_code == 200
                n_pages += 1
            assert {one.result().json()["status"] for one in waiting} == {"pending"}
        # One at a time, they would have taken most of a minute, and pages would have waited.
        assert n_pages >= 5
    finally:
        site.__exit__()


def test_photos_that_wait_for_the_decoder_hold_no_page_up(tmp_path: Path) -> None:
    bound = 4
    environment = {"PAGES_AT_ONCE": str(bound), "DECODING_PROCESSES": "1"}
    with Site(tmp_path, **environment) as site, ExitStack() as held:
        people = [site.sign_up(f"decodes-{number}@example.org") for number in range(bound)]
        other = site.sign_up("reads-pages@example.org")
        clients = [
            held.enter_context(_client(site.url, person, number))
            for number, person in enumerate(people)
        ]
        pool = held.enter_context(ThreadPoolExecutor(3 * bound))
        # Somebody else's photo is being decoded all the time.
        held.enter_context(Turns(tmp_path / "decoding", "turn", 1).taken(0))
        body = {"image": ("a.jpg", face_jpeg(), "image/jpeg")}
        process = psutil.Process(site.pid("web"))
        n_threads = process.num_threads()
        waiting = [
            pool.submit(client.post, "/api/v1/uploads/", files=body)
            for client in clients
            for _ in range(3)
        ]
        wait_until(lambda: process.num_threads() >= n_threads + bound // 2, every=0.02)
        for _ in range(5):
            assert other.get("/uploads/").status_code == 200
        assert not any(one.done() for one in waiting)


def _client(url: str, person: Person, number: int) -> httpx.Client:
    """Somebody at a network address of their own: one alone never has all turns."""
    token = person.cookie("csrftoken")
    return httpx.Client(
        base_url=url,
        timeout=120,
        transport=httpx.HTTPTransport(local_address=f"127.0.0.{10 + number}"),
        headers={"Cookie": f"{person.session}; csrftoken={token}", "X-CSRFToken": token},
    )
