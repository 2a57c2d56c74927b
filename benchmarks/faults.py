"""What is broken on a running site, and what people notice of it: real processes, real Redis."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import redis
from PIL import Image
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from benchmarks.poison import POISON_NAME
from recognition.jobs import broker
from tests.corpus import ACCEPTED, corpus
from tests.pictures import encode, face_jpeg, two_faces_jpeg
from tests.site.running import ROOT, Person, Site, free_port, wait_until

#: Where photos wait for workers.
QUEUES = ("interactive", "bulk")
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


@dataclass(frozen=True)
class Killed:
    """Outcome of :func:`kill_workers`.

    Attributes:
        lost: accepted uploads that are not there or have not ended.
        repeated: uploads whose faces are not those that the same photo always has.
        seconds: from the last kill to the last result.
    """

    done: int
    failed: int
    lost: int
    repeated: int
    seconds: float


def kill_workers(
    folder: Path, n_uploads: int, n_children: int, n_trees: int, **environment: str
) -> Killed:
    """Kill worker children, and whole workers, while photos are uploaded and worked on."""
    rng = random.Random(0)
    with Site(folder, **environment) as site:
        person = site.sign_up("kills@example.org")
        uploading = threading.Thread(target=upload_many, args=(person, two_faces_jpeg(), n_uploads))
        uploading.start()
        kills = ["child"] * n_children + ["tree"] * n_trees
        rng.shuffle(kills)
        for kill in kills:
            time.sleep(rng.uniform(0.5, 1.5))
            if kill == "tree":
                site.kill("worker")
                site.start("worker")
                continue
            children = wait_until(lambda: worker_children(site))
            with contextlib.suppress(psutil.NoSuchProcess):
                rng.choice(children).kill()
        last_kill = time.monotonic()
        uploading.join()
        uploads = person.wait_until_finished(FIVE_MINUTES)
        seconds = time.monotonic() - last_kill
    counts = statuses(uploads)
    faces = [len(upload["faces"]) for upload in uploads if upload["status"] == "done"]
    usual = Counter(faces).most_common(1)[0][0]
    return Killed(
        done=counts["done"],
        failed=counts["failed"],
        lost=n_uploads - counts["done"] - counts["failed"],
        repeated=sum(number != usual for number in faces),
        seconds=seconds,
    )


@dataclass(frozen=True)
class Outage:
    """Outcome of :func:`redis_outage`; seconds."""

    slowest_page: float
    slowest_upload: float
    done: int
    seconds: float


def redis_outage(folder: Path, n_uploads: int, **environment: str) -> Outage:
    """Upload while Redis is stopped, and while it hangs; half of the uploads each."""
    pages: list[float] = []
    uploads: list[float] = []

    def upload_and_look(person: Person, count: int) -> None:
        for number in range(count):
            start = time.monotonic()
            assert person.upload(face_jpeg(), f"{number}.jpg").status_code == 201
            uploads.append(time.monotonic() - start)
            start = time.monotonic()
            assert person.get(PAGES[number % len(PAGES)]).status_code == 200
            pages.append(time.monotonic() - start)

    with Site(folder, **environment) as site:
        person = site.sign_up("outage@example.org")
        site.kill("redis")
        upload_and_look(person, n_uploads // 2)
        site.start("redis")
        client = redis.Redis(unix_socket_path=str(site.data_dir / "redis.sock"))
        wait_until(lambda: _answers(client))
        # It hangs as under CLIENT PAUSE, which cannot be ended before its time.
        os.kill(site.pid("redis"), signal.SIGSTOP)
        upload_and_look(person, n_uploads - n_uploads // 2)
        os.kill(site.pid("redis"), signal.SIGCONT)
        start = time.monotonic()
        ended = person.wait_until_finished(FIVE_MINUTES)
        seconds = time.monotonic() - start
    return Outage(max(pages), max(uploads), statuses(ended)["done"], seconds)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


@dataclass(frozen=True)
class Restarts:
    """Outcome of :func:`redis_restarts`: seconds from each return of Redis to the next result."""

    slowest: float
    done: int


def redis_restarts(folder: Path, n_restarts: int, n_uploads: int, **environment: str) -> Restarts:
    """Restart Redis again and again while there is work."""
    waits = []
    with Site(folder, **environment) as site:
        person = site.sign_up("restarts@example.org")
        batch = n_uploads // n_restarts
        for _ in range(n_restarts):
            upload_many(person, face_jpeg(), batch - 1)
            site.kill("redis")
            time.sleep(0.5)
            site.start("redis")
            start = time.monotonic()
            probe = person.upload(face_jpeg(), "probe.jpg").json()["id"]
            path = f"/api/v1/uploads/{probe}/"
            wait_until(lambda path=path: person.get(path).json()["status"] == "done", 180)
            waits.append(time.monotonic() - start)
        ended = person.wait_until_finished(FIVE_MINUTES)
    return Restarts(max(waits), statuses(ended)["done"])


@dataclass(frozen=True)
class Poisoned:
    """Outcome of :func:`poison`."""

    poison_status: str
    poison_code: str
    done: int
    seconds: float


def poison(folder: Path, n_good: int, **environment: str) -> Poisoned:
    """One photo that kills the process that opens it, in the middle of good ones."""
    with Site(folder, **environment) as site:
        site.kill("worker")
        settings = "benchmarks.poison"
        site.start("worker", DJANGO_SETTINGS_MODULE=settings, PYTHONPATH=str(ROOT))
        person = site.sign_up("poison@example.org")
        start = time.monotonic()
        upload_many(person, face_jpeg(), n_good // 2)
        assert person.upload(face_jpeg(), POISON_NAME).status_code == 201
        upload_many(person, face_jpeg(), n_good - n_good // 2)
        uploads = person.wait_until_finished(600)
        seconds = time.monotonic() - start
    (bad,) = (upload for upload in uploads if upload["name"] == POISON_NAME)
    good = [upload for upload in uploads if upload is not bad]
    code = (bad["error"] or {}).get("code", "")
    return Poisoned(bad["status"], code, statuses(good)["done"], seconds)


@dataclass(frozen=True)
class Doubled:
    """Outcome of :func:`two_of_everything`.

    Attributes:
        worked_twice: uploads that took more than one attempt.
    """

    done: int
    worked_twice: int


def two_of_everything(folder: Path, n_uploads: int) -> Doubled:
    """Two web processes, two workers and two schedulers, while queued messages get lost."""
    with Site(folder) as site:
        other = str(free_port())
        site.start("web", "second-web", SITE_PORT=other)
        site.start("worker", "second-worker")
        site.start("scheduler", "second-scheduler")
        person = site.sign_up("double@example.org")
        second = wait_until(lambda: _visitor(f"http://127.0.0.1:{other}"))
        # The same person: cookies do not know ports. CSRF protection does.
        second.http.cookies = person.http.cookies
        site.kill("redis")
        # Nothing of this reaches the queue: both schedulers find it at the same time.
        for number in range(n_uploads):
            (person, second)[number % 2].upload(face_jpeg(), f"{number}.jpg")
        site.start("redis")
        uploads = person.wait_until_finished(FIVE_MINUTES)
        script = (
            "from recognition.models import Upload;"
            "print(list(Upload.objects.values_list('attempts', flat=True)))"
        )
        shown = site.manage("shell", "--verbosity", "0", "--command", script).stdout
        attempts = json.loads(shown.strip().splitlines()[-1])
    return Doubled(statuses(uploads)["done"], sum(number != 1 for number in attempts))


def _visitor(url: str) -> Person | None:
    try:
        return Person(url)
    except httpx.TransportError:
        return None


@dataclass(frozen=True)
class Writers:
    """Outcome of :func:`writers`."""

    rows: int
    errors: int
    integrity: str


_WRITE = """
from django.db import transaction
from django.db.models import F
from accounts.models import AuditEvent, User
user = User.objects.get(email="writer@example.org")
errors = 0
for number in range({n_writes}):
    try:
        with transaction.atomic():
            User.objects.filter(pk=user.pk).update(first_name=str(number))
            AuditEvent.objects.create(user=user, action="written")
    except Exception as error:
        errors += 1
print(errors)
"""


def writers(site: Site, n_processes: int, n_writes: int) -> Writers:
    """Several processes write as fast as they can; the site need not be running."""
    site.manage("migrate", "--verbosity", "0")
    make = "from accounts.models import User; User.objects.create_user('writer@example.org')"
    site.manage("shell", "--verbosity", "0", "--command", make)
    script = _WRITE.format(n_writes=n_writes)
    with ThreadPoolExecutor(n_processes) as threads:
        outputs = list(
            threads.map(
                lambda _: site.manage("shell", "--verbosity", "0", "--command", script).stdout,
                range(n_processes),
            )
        )
    errors = sum(int(output.strip().splitlines()[-1]) for output in outputs)
    count = (
        "from django.db import connection; from accounts.models import AuditEvent;"
        "c = connection.cursor();"
        "ok = connection.vendor != 'sqlite' or "
        "c.execute('PRAGMA integrity_check').fetchone()[0];"
        "print(AuditEvent.objects.filter(action='written').count(), 'ok' if ok is True else ok)"
    )
    shown = site.manage("shell", "--verbosity", "0", "--command", count).stdout.split()
    return Writers(int(shown[-2]), errors, shown[-1])


@dataclass(frozen=True)
class FullDisk:
    """Outcome of :func:`full_disk`.

    Attributes:
        refused_codes: status and code of each refusal.
        strays: files that belong to no upload.
        afterwards: status of an upload once there is space again.
    """

    accepted: int
    refused_codes: tuple[tuple[int, str], ...]
    strays: int
    afterwards: int


def can_mount() -> bool:
    """Whether this process may mount a small file system."""
    probe = ["unshare", "--mount", "true"]
    return os.geteuid() == 0 and subprocess.run(probe, check=False).returncode == 0


def full_disk(folder: Path, n_uploads: int) -> FullDisk:
    """Photos go to a file system of 5 MB until it is full."""
    media = folder / "media"
    media.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(media)], check=True)
    try:
        noise = np.random.default_rng(0).integers(0, 255, (900, 900, 3), np.uint8)
        photo = encode(Image.fromarray(noise), quality=80)
        with Site(folder) as site:
            person = site.sign_up("full@example.org")
            answers = [person.upload(photo, f"{number}.jpg") for number in range(n_uploads)]
            page = person.post("/uploads/new/", files={"images": ("full.jpg", photo)})
            assert page.status_code in {200, 302, 507}, page.status_code
            person.wait_until_finished()
            n_files = sum(path.is_file() for path in media.rglob("*"))
            accepted = sum(answer.status_code == 201 for answer in answers)
            subprocess.run(["mount", "-o", "remount,size=50m", str(media)], check=True)
            afterwards = person.upload(photo, "after.jpg").status_code
            person.wait_until_finished()
        refused = tuple(
            (answer.status_code, _code(answer)) for answer in answers if answer.status_code != 201
        )
        return FullDisk(accepted, refused, n_files - 2 * accepted, afterwards)
    finally:
        subprocess.run(["umount", str(media)], check=True)


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("code", ""))
    except ValueError:
        return ""


@dataclass(frozen=True)
class Memory:
    """Outcome of :func:`many_photos`: MB of the largest worker child, and of the web process."""

    child_early: float
    child_late: float
    web: float


def many_photos(folder: Path, n_early: int, n_photos: int) -> Memory:
    """Photos through one worker, and its memory after some and after all."""
    with Site(folder) as site:
        person = site.sign_up("many@example.org")

        def largest_child() -> float:
            return max(megabytes(child.pid) for child in worker_children(site))

        def upload_and_wait(count: int) -> None:
            for start in range(0, count, 100):
                upload_many(person, face_jpeg(), min(100, count - start))
                wait_until(lambda: _waiting(site) == 0, 300, every=0.5)

        upload_and_wait(n_early)
        early = largest_child()
        upload_and_wait(n_photos - n_early)
        return Memory(early, largest_child(), megabytes(site.pid("web")))


def _waiting(site: Site) -> int:
    client = redis.Redis(unix_socket_path=str(site.data_dir / "redis.sock"))
    parts = [part for name in QUEUES for part in broker.lists(name)]
    return sum(int(client.llen(part)) for part in parts) + int(client.hlen("unacked"))


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
            ending = "accepted" if answer.status_code == 201 else _code(answer)
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
                    headers={**headers, "X-CSRFToken": person.http.cookies["csrftoken"]},
                    timeout=120,
                )
                said = f"{answer.status_code} {_code(answer)}".strip()
            except httpx.TransportError as error:
                said = f"cut off ({type(error).__name__})"
            outcomes["HTTP"] = HugeBody(said, taken, growth())
        taken = 0

        def message() -> Iterator[bytes]:
            nonlocal taken
            for _ in range(n_megabytes):
                yield block
                taken += 1

        cookie = f"sessionid={person.http.cookies['sessionid']}"
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
