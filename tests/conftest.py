"""What all tests share: three people, a photo, and a running site."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from xdist.scheduler import LoadScopeScheduling

from accounts import consent
from accounts.models import User
from accounts.purposes import ACCOUNT
from operations import rates
from recognition.models import Upload
from tests import pictures
from tests.site.running import Site


class SitesInOneLine(LoadScopeScheduling):
    """Test files that start a site follow each other: a site is five processes already.

    The others run beside them, file by file.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "sites" if starts_a_site(self.config.rootpath / file) else file


@cache
def starts_a_site(file: Path) -> bool:
    return bool(re.search(r"^from (tests\.site\.running|benchmarks)", file.read_text(), re.M))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-sites", action="store_true", help="leave out tests that start a running site"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what starts a site, where that is asked for; pytest says how many there were."""
    if not config.getoption("--without-sites"):
        return
    sites = [item for item in items if {"site", "own_site"} & set(item.fixturenames)]  # type: ignore[attr-defined]
    config.hook.pytest_deselected(items=sites)
    items[:] = [item for item in items if item not in sites]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SitesInOneLine:
    return SitesInOneLine(config, log)


@pytest.fixture(scope="session", autouse=True)
def data_directory() -> Iterator[None]:
    yield
    shutil.rmtree(settings.DATA_DIR, ignore_errors=True)


@pytest.fixture(autouse=True)
def no_requests_yet() -> None:
    """A process remembers how often it was asked; tests do not ask each other's questions."""
    rates.forget()


@pytest.fixture(scope="session")
def face_jpeg() -> bytes:
    """A photo with one smiling face (512×512)."""
    return pictures.face_jpeg()


def make_person(email: str, password: str, **fields: bool) -> User:
    """Somebody who has agreed that their photos are processed."""
    person = User.objects.create_user(email, password, **fields)
    consent.give(person, ACCOUNT)
    return person


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
