"""What a participant's browser is given beside the page: files of blocks, and what it may frame."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from studies.models import Block, Study
from tests.support import studies
from tests.support.participants import agree, path

FILE = bytes(range(256)) * 4


@pytest.fixture
def study(ada: User) -> Study:
    study = studies.open_study(ada)
    studies.block(study)
    return study


@pytest.mark.parametrize(
    ("asked", "status", "content", "span"),
    [
        (None, 200, FILE, None),
        ("bytes=0-9", 206, FILE[:10], "bytes 0-9/1024"),
        ("bytes=1000-", 206, FILE[1000:], "bytes 1000-1023/1024"),
        ("bytes=-24", 206, FILE[-24:], "bytes 1000-1023/1024"),
        ("bytes=1020-5000", 206, FILE[1020:], "bytes 1020-1023/1024"),
        ("bytes=1024-", 416, b"", "bytes */1024"),
        ("bytes=9-2", 200, FILE, None),
        ("bytes=0-1,4-5", 200, FILE, None),
        ("lines=1", 200, FILE, None),
    ],
)
def test_a_stimulus_is_served_to_its_participants(
    study: Study, asked: str | None, status: int, content: bytes, span: str | None
) -> None:
    picture = studies.block(study, Block.Kind.IMAGE, file=FILE, media_type="image/jpeg")
    headers = {"HTTP_RANGE": asked} if asked else {}
    client = agree(study)
    response = client.get(path(study, f"blocks/{picture.pk}/"), **headers)
    assert (response.status_code, response.content) == (status, content)
    assert response.headers.get("Content-Range") == span
    if status != 416:
        assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_stimulus_is_nobody_elses(study: Study) -> None:
    picture = studies.block(study, Block.Kind.IMAGE, file=FILE, media_type="text/html")
    address = path(study, f"blocks/{picture.pk}/")
    assert Client().get(address).status_code == 410
    client = agree(study)
    assert client.get(address).headers["Content-Type"] == "application/octet-stream"
    client.post(path(study, "leave/"))
    assert client.get(address).status_code == 404, "who has ended"
    other = studies.open_study(study.owner, "Another")
    studies.block(other)
    client = agree(other)
    assert client.get(path(other, f"blocks/{picture.pk}/")).status_code == 404


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://other.example/game;x/play?level=1#top", "https://other.example/game%3Bx/play"),
        ("https://пример.example:8443/a", "https://xn--e1afmkfd.example:8443/a"),
        ("https://\U0001f600.example/", "'none'"),
    ],
    ids=["signs", "letters", "no host"],
)
def test_only_the_studys_own_page_may_be_framed(study: Study, url: str, source: str) -> None:
    studies.block(study, Block.Kind.PAGE, url=url)
    policy = agree(study).get(path(study, "run/")).headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";") if rule.strip())
    assert rules["frame-src"] == source


def test_a_study_without_pages_frames_nothing(study: Study) -> None:
    plain = studies.open_study(study.owner, "Plain")
    studies.block(plain)
    assert (
        "frame-src 'none'"
        in agree(plain).get(path(plain, "run/")).headers["Content-Security-Policy"]
    )
