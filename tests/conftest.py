"""What all tests share: three people, a photo, and a running site."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from accounts.models import User
from operations import rates, stored_files
from recognition import quotas
from recognition.models import Upload
from tests.support import pictures
from tests.support.factories import make_person
from tests.support.receiver import Receiver
from tests.support.scheduling import FromBothEnds
from tests.support.site import Site
from tests.support.socket_threads import wait_for


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts a site, and put it first: `FromBothEnds` counts on it."""
    for item in items:
        if {"site", "own_site"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("site")
    items.sort(key=lambda item: item.get_closest_marker("site") is None)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FromBothEnds:
    return FromBothEnds(config, log)


@pytest.fixture(scope="session", autouse=True)
def data_directory() -> Iterator[None]:
    yield
    shutil.rmtree(settings.DATA_DIR, ignore_errors=True)


@pytest.fixture(autouse=True)
def no_requests_yet() -> None:
    """A process remembers how often it was asked; tests do not ask each other's questions."""
    quotas.forget()
    stored_files.forget()
    rates.forget()


@pytest.fixture(autouse=True)
def sockets_are_done() -> Iterator[None]:
    """What a socket that a test left open began in a thread ends before the database is emptied.

    On PostgreSQL the two would wait for each other's tables.
    """
    asgi = sys.modules.get("emotion_site.asgi")
    if asgi is not None and connection.vendor == "sqlite":
        # In memory it does not wait for another connection that is writing, such as a test's.
        asgi.socket_threads.pool = SyncToAsync.single_thread_executor
    yield
    SyncToAsync.single_thread_executor.submit(lambda: None).result()
    if asgi is not None:
        wait_for(asgi.socket_threads)


@pytest.fixture(scope="session")
def face_jpeg() -> bytes:
    """A photo with one smiling face (512×512)."""
    return pictures.face_jpeg()


@pytest.fixture
def alice(db: None) -> User:
    """An ordinary person."""
    return make_person("alice@example.org", "alice-password")


@pytest.fixture
def bob(db: None) -> User:
    """Another person, who has no business with Alice's photos."""
    return make_person("bob@example.org", "bob-password")


@pytest.fixture
def charlie(db: None) -> User:
    """A member of staff."""
    return make_person("charlie@example.org", "charlie-password", is_staff=True)


@pytest.fixture
def root(db: None) -> User:
    """The operator, who may do everything in the administration."""
    return make_person("root@example.org", "root-password", is_staff=True, is_superuser=True)


@pytest.fixture
def alice_client(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def bob_client(bob: User) -> Client:
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def root_client(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


@pytest.fixture
def alice_upload(alice: User, face_jpeg: bytes) -> Upload:
    """A photo of Alice's that waits for a worker."""
    from recognition.uploads.actions import create_upload

    return create_upload(alice, SimpleUploadedFile("party.jpg", face_jpeg))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The whole site as real processes, shared by tests that leave it running."""
    with Site(tmp_path_factory.mktemp("site")) as started:
        yield started


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    """A site of one's own, for a test that breaks it."""
    with Site(tmp_path / "site", CLAIM_SECONDS="15", REQUEUE_SECONDS="10") as started:
        yield started
