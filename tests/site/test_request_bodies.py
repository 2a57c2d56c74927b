"""Bodies of requests are cut off while they arrive, and cost little memory until then."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.chaos.bodies import huge_bodies
from tests.chaos.floods import dripping
from tests.chaos.watching import peak_memory
from tests.support.pictures import encode, face_jpeg
from tests.support.site import Person, Site, wait_until


def test_a_body_without_an_end_is_cut_off(tmp_path: Path) -> None:
    outcomes = huge_bodies(tmp_path, n_megabytes=200)
    assert outcomes["HTTP"].answer == "413 too_large"
    assert outcomes["WebSocket"].answer.startswith("cut off")
    for outcome in outcomes.values():
        assert outcome.megabytes_taken < 150
        assert outcome.growth <= 50


def test_a_declared_length_beyond_the_limit_is_refused_at_once(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(
            b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Length: 1000000000\r\n\r\n"
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


#: Bytes that only an upload may have; what anybody may send; what a signed-in person may.
LARGE, ANYBODYS, SMALL = 2_000_000, 60_000, 900_000


@pytest.fixture(scope="module")
def person(site: Site) -> Person:
    return site.sign_up("bodies@example.org")


def head(path: str, length: int, **headers: str) -> bytes:
    lines = {"Host": "127.0.0.1", "Content-Length": str(length), **headers}
    text = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{text}\r\n".encode()


def cookie(person: Person) -> str:
    return "; ".join(f"{name}={value}" for name, value in person.http.cookies.items())


def answer_to(site: Site, head: bytes, timeout: float = 10) -> str:
    """What is said to the head of a request, and to a first piece of its body, alone."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=timeout) as connection:
        connection.sendall(head + b"x" * 1000)
        return connection.recv(4000).decode()


@pytest.mark.parametrize("path", ["/accounts/login/", "/uploads/new/", "/api/v1/uploads/", "/no/"])
def test_a_body_is_not_taken_from_just_anybody(site: Site, path: str) -> None:
    """Refused by its head: nothing more of it has been sent."""
    forged = {"Cookie": "sessionid=0123456789abcdef0123456789abcdef", "X_Forwarded_For": "::1"}
    for headers in ({}, forged, {"Authorization": "Bearer visage_none"}):
        status = answer_to(site, head(path, LARGE, **headers)).split()[1]
        assert status == {"/uploads/new/": "303", "/api/v1/uploads/": "401"}.get(path, "413")


def test_whoever_is_not_signed_in_learns_it(site: Site) -> None:
    answer = answer_to(site, head("/api/v1/uploads/", LARGE))
    assert "WWW-Authenticate: Bearer" in answer
    assert '"code": "not_authenticated"' in answer
    answer = answer_to(site, head("/videos/new/", LARGE, Referer="http://127.0.0.1/videos/new/"))
    assert "Location: /accounts/login/?next=%2Fvideos%2Fnew%2F" in answer
    for referer in ("https://evil.example/", "http://127.0.0.1", "http://[", "//", "/", ""):
        answer = answer_to(site, head("/uploads/new/", LARGE, Referer=referer))
        assert "Location: /accounts/login/?next=%2F\r\n" in answer, referer


def test_a_token_that_may_not_write_sends_nothing_large(site: Site) -> None:
    owner = site.sign_up("tokens-bodies@example.org")
    for scope in ("read", "live"):
        bearer = {"Authorization": f"Bearer {owner.make_token(scope)}"}
        answer = answer_to(site, head("/api/v1/uploads/", LARGE, **bearer))
        assert answer.startswith("HTTP/1.1 403"), scope
        assert '"code": "token_scope"' in answer


def test_where_nobody_can_tell_whose_it_is_it_can_be_sent_again(site: Site, person: Person) -> None:
    """Who is told to sign in, as though the token were a wrong one, throws it away."""
    bearer = {"Authorization": f"Bearer {person.make_token('write')}"}
    rename = "from django.db import connection; connection.cursor().execute('ALTER TABLE %s')"
    site.manage("shell", "-c", rename % "accounts_apitoken RENAME TO out_of_reach")
    try:
        answer = answer_to(site, head("/api/v1/uploads/", LARGE, **bearer))
    finally:
        site.manage("shell", "-c", rename % "out_of_reach RENAME TO accounts_apitoken")
    assert answer.startswith("HTTP/1.1 503")
    assert '"code": "busy"' in answer
    assert "Retry-After: " in answer


def test_only_uploads_may_be_large(site: Site, person: Person) -> None:
    for path in ("/", "/webhooks/", "/api/v1/webhooks/", "/uploads/selected/", "/api/v1/uploads/x"):
        answer = answer_to(site, head(path, LARGE, Cookie=cookie(person)))
        assert answer.startswith("HTTP/1.1 413"), path
    # These are waited for.
    for path, length in (("/webhooks/", SMALL), ("/uploads/new/", LARGE)):
        with pytest.raises(TimeoutError):
            answer_to(site, head(path, length, Cookie=cookie(person)), timeout=1)
    with pytest.raises(TimeoutError):
        answer_to(site, head("/accounts/login/", ANYBODYS), timeout=1)


def test_what_is_larger_without_saying_so_is_cut_off(site: Site) -> None:
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(
            b"POST /api/v1/uploads/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + 3 * chunk
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize(("n_chunks", "is_taken"), [(900, True), (60_000, False)])
def test_a_body_comes_in_so_many_chunks(site: Site, n_chunks: int, is_taken: bool) -> None:
    """Each is a step of the event loop, in which everybody else waits."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as connection:
        connection.sendall(
            f"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        with suppress(ConnectionError):
            connection.sendall(b"1\r\na\r\n" * n_chunks + b"0\r\n\r\n")
        status = connection.recv(4000).split()[1]
    # Taken, but as a form without its token.
    assert status == (b"403" if is_taken else b"400")


@pytest.mark.parametrize(("kind", "at_once"), [("uploads", 8), ("videos", 2)])
def test_one_person_has_a_few_large_bodies_at_a_time(site: Site, kind: str, at_once: int) -> None:
    many, other = (site.sign_up(f"{name}-{kind}@example.org") for name in ("many", "other"))

    def begin(person: Person) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", site.port), timeout=1)
        connection.sendall(head(f"/api/v1/{kind}/", LARGE, Cookie=cookie(person)) + b"x")
        return connection

    def first(connection: socket.socket) -> bytes:
        try:
            return connection.recv(12)
        except TimeoutError:
            return b""

    with ExitStack() as open_ones, ThreadPoolExecutor(16) as threads:
        connections = [open_ones.enter_context(begin(many)) for _ in range(12)]
        answers = list(threads.map(first, connections))
        assert sorted(answers) == [b""] * at_once + [b"HTTP/1.1 429"] * (12 - at_once)
        assert first(open_ones.enter_context(begin(other))) == b""

    # They are let go of with their connections.
    def is_taken() -> bool:
        with begin(many) as connection:
            return first(connection) == b""

    wait_until(is_taken)


def test_what_comes_in_drops_ends(tmp_path: Path) -> None:
    seconds = dripping(tmp_path, n_connections=6, grace=2)
    assert set(seconds) == {"head", "small body", "large body"}
    assert max(seconds.values()) < 10


def test_a_form_with_large_photos_takes_little_more_memory_than_they_have(site: Site) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2600, 2600, 3), np.uint8)
    photo = encode(Image.fromarray(noise), quality=88)
    assert 5e6 < len(photo) < 10e6
    person = site.sign_up("large@example.org")
    with peak_memory(site.pid("web")) as growth:
        files = [("images", (f"{number}.jpg", photo)) for number in range(4)]
        answer = person.post("/uploads/new/", files=files)
        assert answer.status_code == 302
        # Measured: 4.4 times the form. When every form was read a second time, 11 times.
        assert growth() < 7 * 4 * len(photo) / 1e6


def test_a_large_body_is_never_in_memory_whole(site: Site) -> None:
    """Its last byte comes when all the rest waits on the disk."""
    n_bytes, people = 90_000_000, [site.sign_up(f"large-{n}@example.org") for n in range(3)]
    with ExitStack() as open_ones:
        connections = []
        for person in people:
            connection = socket.create_connection(("127.0.0.1", site.port), timeout=60)
            connections.append(open_ones.enter_context(connection))
            # A photo that is no photo, in a form whose end is missing.
            start = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
            kind = {"Content-Type": "multipart/form-data; boundary=x", "Origin": site.url}
            whole = head(
                "/api/v1/uploads/", n_bytes, Cookie=cookie(person), **kind,
                Host=f"127.0.0.1:{site.port}", X_CSRFToken=person.http.cookies["csrftoken"],
            )  # fmt: skip
            connection.sendall(whole + start + bytes(n_bytes - len(start) - 1))
        with peak_memory(site.pid("web")) as growth:
            for connection in connections:
                connection.sendall(b"\0")
            answers = [connection.recv(4000) for connection in connections]
            assert growth() < 60
    assert all(answer.startswith(b"HTTP/1.1 4") for answer in answers)


def test_answers_are_written_no_faster_than_they_are_read(tmp_path: Path) -> None:
    """Whoever asks for something large and does not read costs next to nothing, and is left."""
    site = Site(tmp_path, REQUEST_GRACE_SECONDS="2", SLOWEST_READING="1000000")
    site.PROCESSES = ("redis", "web")
    site.prepare()
    try:
        site.start("redis")
        site.start("web")
        site.wait_for_web()
        person = site.sign_up("reads-slowly@example.org")
        assert person.upload(face_jpeg()).status_code == 201
        upload = person.uploads()[0]["id"]
        # The photo; its thumbnail is the smaller one.
        files = (tmp_path / "media").rglob("*.jpg")
        stored = max(files, key=lambda file: file.stat().st_size)
        stored.write_bytes(bytes(LARGE_ANSWER))
        path = f"/uploads/{upload}/image/"
        lines = (
            f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{site.port}", f"Cookie: {cookie(person)}",
        )  # fmt: skip
        request = "\r\n".join((*lines, "", ""))
        with peak_memory(site.pid("web")) as growth, ExitStack() as open_ones:
            for _ in range(4):
                connection = socket.create_connection(("127.0.0.1", site.port), timeout=60)
                open_ones.enter_context(connection)
                connection.sendall(request.encode())
                assert connection.recv(12) == b"HTTP/1.1 200"
            # Whoever does read gets all of it meanwhile, and pages are there.
            assert len(person.get(path).content) == LARGE_ANSWER
            assert person.get("/uploads/").status_code == 200
            assert growth() < 80
            # One that reads a little now and then, of what is on its way all the while, is left.
            sip = open_ones.enter_context(socket.create_connection(("127.0.0.1", site.port), 60))
            sip.sendall(request.encode())
            n_read = 0
            with suppress(ConnectionResetError):
                while piece := sip.recv(100_000):
                    n_read += len(piece)
                    time.sleep(0.4)  # The pace itself is what is tried.
            assert n_read < LARGE_ANSWER / 2
            # The others' connections end with a piece of it.
            person.http.close()
            web = psutil.Process(site.pid("web"))
            wait_until(lambda: not _established(web, site.port), 30)
    finally:
        site.__exit__()


#: Far more than what the kernel takes for a connection that nobody reads.
LARGE_ANSWER = 80_000_000


def _established(web: psutil.Process, port: int) -> list[object]:
    """Connections to the site's port that are open."""
    return [
        c for c in web.net_connections("tcp")
        if c.laddr.port == port and c.status == psutil.CONN_ESTABLISHED
    ]  # fmt: skip
