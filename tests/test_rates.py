"""Limits of visitors and of wrong tokens, counted by all web processes together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client
from pytest_django import Settings

from accounts import tokens
from accounts.models import User
from emotion_site.asgi import application
from operations import rates
from tests.support.site import Site


@pytest.fixture(autouse=True)
def fresh_counts() -> Iterator[None]:
    rates.forget()
    yield
    rates.forget()


@pytest.fixture
def shared(site: Site, monkeypatch: pytest.MonkeyPatch) -> redis.Redis:
    """A running Redis in place of the one that tests do not have."""
    client = redis.Redis(unix_socket_path=str(site.data_dir / "redis.sock"))
    monkeypatch.setattr(rates, "_client", client)
    monkeypatch.setattr(rates, "_away_until", 0.0)
    return client


def test_processes_count_together(shared: redis.Redis) -> None:
    for _ in range(3):
        assert rates.too_often("tries", "192.0.2.1", "3/h") is None
        rates.forget()  # As another process, which has counted nothing.
    wait = rates.too_often("tries", "192.0.2.1", "3/h")
    assert wait is not None
    assert 0 < wait <= 3601
    assert rates.too_often("tries", "192.0.2.2", "3/h") is None
    assert rates.too_often("other tries", "192.0.2.1", "3/h") is None
    keys = list(shared.scan_iter("visage-rates:*tries:*"))
    assert len(keys) == 3
    assert not any(b"192.0.2" in key for key in keys)
    assert all(0 < shared.ttl(key) <= 3600 for key in keys)


def test_without_redis_a_process_counts_alone_and_waits_for_nobody(settings: Settings) -> None:
    answers = [rates.too_often("tries", "192.0.2.1", "3/h") is None for _ in range(5)]
    assert answers == [True, True, True, False, False]


@pytest.mark.django_db
def test_an_address_asks_so_often_without_signing_in(alice: User, settings: Settings) -> None:
    settings.ANONYMOUS_RATE = "5/h"
    signed_in = Client()
    signed_in.force_login(alice)
    paths = ["/", "/accounts/login/", "/api/v1/uploads/", "/no/such/page/", "/about/"]
    for path in paths:
        assert Client().get(path).status_code != 429
    page = Client().get("/")
    assert page.status_code == 429
    assert int(page["Retry-After"]) > 0
    problem = Client().get("/api/v1/uploads/")
    assert (problem.status_code, problem.json()["code"]) == (429, "throttled")
    assert Client(headers={"Authorization": "Bearer x"}).get("/about/").status_code == 429
    assert Client().post("/accounts/login/", {}).status_code == 429
    assert signed_in.get("/").status_code == 200
    assert Client(REMOTE_ADDR="192.0.2.9").get("/").status_code == 200
    assert Client().get("/healthz/live").status_code == 200
    assert Client().get("/healthz/more").status_code == 429


@pytest.mark.django_db
def test_one_customer_of_ipv6_is_one_address(settings: Settings) -> None:
    settings.ANONYMOUS_RATE = "2/h"
    found = [
        Client(REMOTE_ADDR=f"2001:db8:0:{network}::{host}").get("/about/").status_code
        for network, host in ((1, 1), (1, 2), (1, 3), (2, 1))
    ]
    assert found == [200, 200, 429, 200]


def test_wrong_tokens_are_limited_and_right_ones_beside_them_are_not(
    alice: User, settings: Settings
) -> None:
    settings.WRONG_TOKEN_RATE = "3/h"
    _token, key = tokens.create(alice, "script", "read", None)
    wrong = Client(headers={"Authorization": f"Bearer {tokens.KEY_PREFIX}{'x' * 40}"})
    found = [wrong.get("/api/v1/me/") for _ in range(5)]
    assert [response.status_code for response in found] == [401, 401, 401, 429, 429]
    assert found[-1].json()["code"] == "throttled"
    assert int(found[-1]["Retry-After"]) > 0
    right = Client(headers={"Authorization": f"Bearer {key}"})
    assert right.get("/api/v1/me/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/nothing/", "/api/v1/errors/", "/api/"])
def test_a_token_where_nobody_looks_at_it_lifts_no_limit(path: str, settings: Settings) -> None:
    settings.ANONYMOUS_RATE = "3/h"
    client = Client(headers={"Authorization": "Bearer x"})
    found = [client.get(path).status_code == 429 for _ in range(5)]
    assert found == [False, False, False, True, True]


@pytest.mark.django_db(transaction=True)
async def test_handshakes_of_sockets_count_as_requests(alice: User, settings: Settings) -> None:
    settings.ANONYMOUS_RATE = "3/h"
    client = Client()
    await sync_to_async(client.force_login)(alice)
    cookie = f"sessionid={client.cookies['sessionid'].value}".encode()

    async def opens(path: str, **headers: bytes) -> bool:
        known = {"host": b"localhost", "origin": b"http://localhost", **headers}
        pairs = [(name.encode(), value) for name, value in known.items()]
        socket = WebsocketCommunicator(application, path, pairs)
        socket.scope["client"] = ["192.0.2.7", 1]
        accepted, _code = await socket.connect()
        if accepted:
            await socket.receive_output(timeout=10)
        await socket.disconnect()
        return bool(accepted)

    found = [await opens("/ws/uploads/") for _ in range(5)]
    assert found == [True, True, True, False, False]
    assert await opens("/ws/live/", cookie=cookie)
