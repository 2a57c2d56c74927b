"""/healthz is open to everybody, and costs nothing that anybody could use up."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.test import Client, RequestFactory

from emotion_site import health
from tests.support.site import Site, wait_until


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each part was asked, of parts that are slow to answer."""
    counts: Counter[str] = Counter()
    lock = threading.Lock()

    def check(name: str) -> Any:
        with lock:
            counts[name] += 1
        time.sleep(0.05)
        return name == "database"

    checks = {name: lambda name=name: check(name) for name in ("database", "worker")}
    monkeypatch.setattr(health, "_CHECKS", checks)
    monkeypatch.setattr(health, "manifest_at_hand", lambda: check("model"))
    monkeypatch.setattr(health, "_known", None)
    return counts


def test_many_requests_at_once_ask_once(asked: Counter[str]) -> None:
    with ThreadPoolExecutor(20) as threads:
        requests = [RequestFactory().get("/healthz") for _ in range(100)]
        answers = list(threads.map(health.healthz, requests))
    assert {answer.status_code for answer in answers} == {503}
    assert len({answer.content for answer in answers}) == 1
    assert asked == {"database": 1, "worker": 1, "model": 1}


def test_an_answer_gets_old(asked: Counter[str], monkeypatch: pytest.MonkeyPatch) -> None:
    Client().get("/healthz")
    monkeypatch.setattr(health, "FRESH_SECONDS_UNAVAILABLE", 0.0)
    Client().get("/healthz")
    assert asked["worker"] == 2


def test_liveness_asks_nobody(asked: Counter[str]) -> None:
    assert Client().get("/healthz/live").content == b"ok\n"
    assert not asked


def test_asking_without_end_is_quick_even_where_no_worker_answers(own_site: Site) -> None:
    own_site.kill("worker")
    url = f"{own_site.url}/healthz"
    with httpx.Client(timeout=15) as client:
        wait_until(lambda: client.get(url).status_code == 503)
        start = time.monotonic()
        for _ in range(200):
            assert client.get(url).status_code == 503
        # Without the cache each takes the two seconds for which a worker is waited.
        assert time.monotonic() - start < 20
