"""One network address has so many answers that wait for it to read them."""

from __future__ import annotations

import select
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.pictures import face_jpeg
from tests.support.site import Site, wait_until

pytestmark = pytest.mark.site

#: Far more than what the kernel takes for a connection that nobody reads.
LARGE_ANSWER = 40_000_000
ALLOWED, OPENED = 3, 7
#: In one megabyte.
STREAMS_ALLOWED = 4


def was_left(connection: socket.socket) -> bool:
    """Whether the other end has gone, whatever lies there to be read."""
    poll = select.poll()
    poll.register(connection, 0)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))


def test_an_address_has_so_many_slow_readers(tmp_path: Path) -> None:
    # Nobody is left for being slow while this is tried.
    site = Site(tmp_path, READERS_PER_ADDRESS=str(ALLOWED), REQUEST_GRACE_SECONDS="200")
    site.PROCESSES = ("redis", "web")
    site.prepare()
    try:
        site.start("redis")
        site.start("web")
        site.wait_for_web()
        person = site.sign_up("reads-slowly@example.org")
        assert person.upload(face_jpeg()).status_code == 201
        path = f"/uploads/{person.uploads()[0]['id']}/image/"
        # The photo; its thumbnail is the smaller one.
        files = (tmp_path / "media").rglob("*.jpg")
        stored = max(files, key=lambda file: file.stat().st_size)
        stored.write_bytes(bytes(LARGE_ANSWER))
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nCookie: {person.session}"
        with ExitStack() as open_ones:
            connections = []
            for _ in range(OPENED):
                connection = socket.create_connection(("127.0.0.1", site.port), timeout=60)
                connections.append(open_ones.enter_context(connection))
                connection.sendall(f"{head}\r\n\r\n".encode())
            wait_until(lambda: sum(map(was_left, connections)) == OPENED - ALLOWED)
            # What waits for nobody is there for all, and from another address all of it is.
            assert person.get("/uploads/").status_code == 200
            elsewhere = socket.create_connection(
                ("127.0.0.1", site.port), timeout=60, source_address=("127.0.0.2", 0)
            )
            open_ones.enter_context(elsewhere).sendall(f"{head}\r\n\r\n".encode())
            n_read = 0
            while n_read < LARGE_ANSWER and (piece := elsewhere.recv(1_000_000)):
                n_read += len(piece)
            assert n_read >= LARGE_ANSWER
            assert sum(map(was_left, connections)) == OPENED - ALLOWED
        # They have gone, and with them what they took.
        wait_until(lambda: len(person.get(path).content) == LARGE_ANSWER)
    finally:
        site.__exit__()


def test_an_address_has_so_many_bytes_of_answers_that_wait(tmp_path: Path) -> None:
    """Of what is no stream, all is in memory until it was read."""
    megabytes = ALLOWED * LARGE_ANSWER // 1024**2 + 1
    site = Site(tmp_path, READERS_MEGABYTES_PER_ADDRESS=str(megabytes), REQUEST_GRACE_SECONDS="200")
    site.PROCESSES = ("redis", "web")
    site.prepare()
    (tmp_path / "documentation").mkdir()
    (tmp_path / "documentation" / "index.html").write_bytes(bytes(LARGE_ANSWER))
    try:
        site.start("redis")
        site.start("web")
        site.wait_for_web()
        head = f"GET /docs/ HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n".encode()
        with ExitStack() as open_ones:
            connections = []
            for _ in range(OPENED):
                connection = socket.create_connection(("127.0.0.1", site.port), timeout=60)
                connections.append(open_ones.enter_context(connection))
                connection.sendall(head)
            wait_until(lambda: sum(map(was_left, connections)) == OPENED - ALLOWED)
    finally:
        site.__exit__()


#: 10 MB of CSV.
MANY_FACES = """
from accounts.models import User
from tests.support.factories import make_crowd
owner = User.objects.get(email="reads-streams@example.org")
for number in range(250):
    make_crowd(owner, str(number), 300)
"""


def test_an_address_has_so_many_streams_that_wait(tmp_path: Path) -> None:
    """Whoever reads a download slowly keeps in memory what its next piece is made of."""
    site = Site(tmp_path, READERS_MEGABYTES_PER_ADDRESS="1", REQUEST_GRACE_SECONDS="200")
    site.PROCESSES = ("redis", "web")
    site.prepare()
    try:
        site.start("redis")
        site.start("web")
        site.wait_for_web()
        person = site.sign_up("reads-streams@example.org")
        site.manage("shell", "-c", MANY_FACES)
        head = f"GET /uploads/export.csv HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n"
        head += f"Cookie: {person.session}\r\n\r\n"
        with ExitStack() as open_ones:
            connections = []
            for _ in range(OPENED):
                connection = socket.create_connection(("127.0.0.1", site.port), timeout=60)
                connections.append(open_ones.enter_context(connection))
                connection.sendall(head.encode())
            wait_until(lambda: sum(map(was_left, connections)) == OPENED - STREAMS_ALLOWED)
    finally:
        site.__exit__()


#: Participants of whom each download holds a megabyte, and a sound that makes it long.
MANY_PARTICIPANTS = """
import os, uuid
from accounts.models import User
from studies.models import Participation
from tests.support import studies
owner = User.objects.get(email="researcher@example.org")
study = studies.open_study(owner)
sound = os.urandom(30_000_000)
studies.block(study, "sound", "sound", file=sound, media_type="audio/mpeg")
Participation.objects.bulk_create(
    Participation(
        study=study, number=number, code_hash=uuid.uuid4().hex, key_hash=uuid.uuid4().hex,
        language="en", consent_version=1, consent_text="x",
    )
    for number in range(1, 301)
)
print(study.pk)
"""


def test_an_archive_that_is_made_while_it_is_read_counts_what_it_holds(tmp_path: Path) -> None:
    site = Site(
        tmp_path,
        READERS_MEGABYTES_PER_ADDRESS=str(STREAMS_ALLOWED),
        REQUEST_GRACE_SECONDS="200",
    )
    site.PROCESSES = ("redis", "web")
    site.prepare()
    try:
        site.start("redis")
        site.start("web")
        site.wait_for_web()
        person = site.sign_up("researcher@example.org")
        made = site.manage("shell", "--verbosity", "0", "--no-imports", "-c", MANY_PARTICIPANTS)
        path = f"/studies/{made.stdout.split()[-1]}/results/study.zip"
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n"
        head += f"Cookie: {person.session}\r\n\r\n"
        with ExitStack() as open_ones:
            connections = []
            for _ in range(OPENED):
                connection = socket.create_connection(("127.0.0.1", site.port), timeout=60)
                connections.append(open_ones.enter_context(connection))
                connection.sendall(head.encode())
            # Each holds more than a megabyte, and counts as a quarter of what all may hold.
            wait_until(lambda: sum(map(was_left, connections)) == OPENED - STREAMS_ALLOWED)
        assert "X-Held-Bytes" not in person.http.head(path).headers
    finally:
        site.__exit__()
