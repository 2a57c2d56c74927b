"""Sums of what happened, from a process to Redis: none is lost, and none is counted twice."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pytest_django import Settings

from operations import metrics
from operations.redis_client import connect
from tests.support.own_redis import running_redis

pytestmark = pytest.mark.site


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a Redis of one's own, beside which no site runs."""
    with running_redis(tmp_path_factory.mktemp("redis")) as socket:
        yield socket


@pytest.fixture
def shared(
    server: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[redis.Redis]:
    """A running Redis without sums; this process's are handed to it by the tests alone."""
    settings.METRICS_TOKEN = "on"
    monkeypatch.setattr(metrics, "FLUSH_SECONDS", 24 * 3600.0)
    client = redis.Redis(unix_socket_path=str(server))
    client.delete(metrics.SUMS_KEY)
    yield client
    client.delete(metrics.SUMS_KEY)


def sums(client: redis.Redis) -> dict[str, float]:
    """How often files were refused, by reason."""
    found = {}
    for field, amount in client.hgetall(metrics.SUMS_KEY).items():
        name, labels, _part = json.loads(field)
        if name == metrics.UPLOADS_REFUSED.name:
            found[labels[0]] = float(amount)
    return found


def test_what_redis_did_not_take_is_kept_for_it(shared: redis.Redis) -> None:
    metrics.UPLOADS_REFUSED.add("damaged")
    with pytest.raises(redis.RedisError):
        metrics.flush(connect())  # Where tests have no Redis.
    metrics.UPLOADS_REFUSED.add("damaged")
    metrics.flush(shared)
    metrics.flush(shared)
    assert sums(shared) == {"damaged": 2}


def test_a_forked_process_begins_with_nothing(shared: redis.Redis, server: Path) -> None:
    metrics.UPLOADS_REFUSED.add("damaged")
    child = os.fork()
    if not child:
        # What tells Redis by and by runs here as well.
        metrics.UPLOADS_REFUSED.add("empty")
        is_telling = any(thread.name == "metrics" for thread in threading.enumerate())
        metrics.flush(redis.Redis(unix_socket_path=str(server)))
        os._exit(0 if is_telling else 1)
    _pid, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    metrics.flush(shared)
    assert sums(shared) == {"damaged": 1, "empty": 1}
