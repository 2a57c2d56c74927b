"""What is broken on a running site, and what people notice of it: real processes, real Redis."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import redis

from tests.chaos.poison import POISON_NAME
from tests.chaos.watching import (
    FIVE_MINUTES,
    PAGES,
    statuses,
    upload_many,
    worker_children,
)
from tests.support.pictures import face_jpeg, two_faces_jpeg
from tests.support.site import ROOT, Person, Site, free_port, wait_until


@dataclass(frozen=True)
class Killed:
    """Outcome of :func:`kill_workers`.

    Attributes:
        lost: accepted uploads that are not there or have not ended.
        repeated: uploads whose faces are not those that the same photo always has.
        seconds: from the last kill to the last result.
        kills: of children and of whole workers.
    """

    done: int
    failed: int
    lost: int
    repeated: int
    seconds: float
    kills: int

    @property
    def is_kept(self) -> bool:
        """Each has ended once and in time; without a result only what was killed three times."""
        is_whole = self.lost == 0 and self.repeated == 0 and self.failed <= self.kills < self.done
        return is_whole and self.seconds <= FIVE_MINUTES


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
    usual = max(faces, key=faces.count, default=0)
    return Killed(
        done=counts["done"],
        failed=counts["failed"],
        lost=n_uploads - counts["done"] - counts["failed"],
        repeated=sum(number != usual for number in faces),
        seconds=seconds,
        kills=n_children + n_trees,
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
        settings = "tests.chaos.poison"
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
