"""The live socket as programs open it: by a token, without cookie or origin."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from websockets.asyncio.client import connect

from accounts import access, consent, sockets, tokens
from accounts.models import ApiToken, User
from emotion_site.asgi import application
from recognition import quotas
from recognition.live import consumer
from recognition.models import Recording
from recognition.people import CAMERA
from tests.support.pictures import face_jpeg
from tests.support.signing_in import switch_on_two_factors
from tests.support.site import Site
from tests.support.sockets import HOST, program

pytestmark = pytest.mark.django_db(transaction=True)

#: Seconds to wait for the server; a model may have to be loaded first.
PATIENCE = 30


@pytest.fixture(autouse=True)
def soon(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one host and port of this site, whose sockets look often whether they may stay."""
    settings.SITE_URL = f"http://{HOST}"
    monkeypatch.setattr(consumer, "CHECK_SECONDS", 0.05)


@pytest.fixture
def viewer(alice: User) -> User:
    consent.give(alice, CAMERA)
    return alice


@pytest.fixture
def key(viewer: User) -> str:
    return tokens.create(viewer, "lab", "live", 30)[1]


@asynccontextmanager
async def opened(communicator: WebsocketCommunicator) -> Any:
    """A socket that is accepted and told `ready`."""
    assert (await communicator.connect(timeout=PATIENCE))[0]
    assert (await communicator.receive_json_from(timeout=PATIENCE))["type"] == "ready"
    yield communicator
    await communicator.disconnect()


async def code_of(communicator: WebsocketCommunicator) -> int:
    """The code that a socket is closed with, once it is accepted."""
    assert (await communicator.connect(timeout=PATIENCE))[0]
    code = await closing_code(communicator)
    await communicator.disconnect()
    return code


async def closing_code(communicator: WebsocketCommunicator) -> int:
    while True:
        output = await communicator.receive_output(timeout=PATIENCE)
        if output["type"] == "websocket.close":
            return int(output["code"])


async def test_a_token_opens_it_without_cookie_or_origin(key: str, viewer: User) -> None:
    async with opened(program(key)) as live:
        await live.send_to(bytes_data=face_jpeg())
        answer = await live.receive_json_from(timeout=PATIENCE)
        assert [face["label"] for face in answer["faces"]] == ["happy"]
        await live.send_json_to({"type": "record"})
        assert (await live.receive_json_from(timeout=PATIENCE))["type"] == "recording"
    recording = await Recording.objects.aget()
    assert recording.owner_id == viewer.pk
    assert (await ApiToken.objects.aget()).last_used_at is not None


async def test_a_second_factor_asks_nothing_of_it(key: str, viewer: User) -> None:
    await sync_to_async(switch_on_two_factors)(viewer)
    async with opened(program(key)):
        pass


async def test_a_browsers_page_sends_the_token_as_a_subprotocol(key: str) -> None:
    offered = ["visage", f"visage.token.{key}"]
    headers = [(b"host", HOST.encode()), (b"origin", b"https://lab.example")]
    live = WebsocketCommunicator(application, "/ws/live/", headers, subprotocols=offered)
    connected, chosen = await live.connect(timeout=PATIENCE)
    # Never the other one: what is chosen is shown by browsers and written into logs.
    assert (connected, chosen) == (True, "visage")
    assert (await live.receive_json_from(timeout=PATIENCE))["type"] == "ready"
    await live.disconnect()


async def test_the_running_site_takes_it_in_both_ways(site: Site) -> None:
    key = (
        (await sync_to_async(site.sign_up)("both-ways@example.org"))
        .accept_camera()
        .make_token("live")
    )
    address = site.url.replace("http", "ws") + "/ws/live/"
    header = {"Authorization": f"Bearer {key}"}
    async with connect(address, additional_headers=header) as live:
        assert '"ready"' in str(await live.recv())
    offered: Any = ["visage", f"visage.token.{key}"]
    async with connect(address, subprotocols=offered) as live:
        assert live.subprotocol == "visage"
        assert '"ready"' in str(await live.recv())


async def test_other_scopes_open_the_api_and_not_this(viewer: User) -> None:
    for scope in ("read", "write"):
        _token, key = await sync_to_async(tokens.create)(viewer, scope, scope, None)
        assert await code_of(program(key)) == 4405


async def test_what_is_no_token_opens_nothing_not_even_beside_a_cookie_that_would(
    key: str, viewer: User
) -> None:
    def signed_in() -> str:
        client = Client()
        client.force_login(viewer)
        return f"sessionid={client.cookies['sessionid'].value}"

    page = {"cookie": await sync_to_async(signed_in)(), "origin": f"http://{HOST}"}
    for wrong in ("", "x", f"{key}x", f"{key} {key}", key[:12], tokens._hash(key), "visage_\xe4"):
        assert await code_of(program(wrong)) == 4401
        assert await code_of(program(wrong, **page)) == 4401
    await ApiToken.objects.aupdate(expires_at=timezone.now() - timedelta(seconds=1))
    assert await code_of(program(key)) == 4401


async def test_a_cookie_from_elsewhere_is_worth_nothing_beside_somebody_elses_token(
    key: str, viewer: User, bob: User
) -> None:
    """Another site may hold a token of its own; the cookie of who visits it is not used."""

    def signed_in() -> str:
        consent.give(bob, CAMERA)
        client = Client()
        client.force_login(bob)
        return f"sessionid={client.cookies['sessionid'].value}"

    page = {"cookie": await sync_to_async(signed_in)(), "origin": "https://evil.example"}
    async with opened(program(key, **page)) as live:
        await live.send_json_to({"type": "record"})
        await live.receive_json_from(timeout=PATIENCE)
    assert (await Recording.objects.aget()).owner_id == viewer.pk


async def test_the_other_socket_takes_no_token(key: str) -> None:
    assert not (await program(key, "/ws/uploads/", origin=f"http://{HOST}").connect())[0]


@pytest.mark.parametrize(
    "ends",
    [
        lambda user: tokens.delete(ApiToken.objects.get(), user),
        lambda user: access.end(user, None),
        lambda user: ApiToken.objects.update(expires_at=timezone.now()),
        lambda user: ApiToken.objects.update(scope="read"),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    ],
    ids=["deleted", "access ended", "expired", "another scope", "disabled"],
)
async def test_it_is_closed_once_the_token_opens_nothing_any_more(
    ends: Callable[[User], Any], key: str, viewer: User
) -> None:
    async with AsyncExitStack() as stack:
        live = await stack.enter_async_context(opened(program(key)))
        await sync_to_async(ends)(viewer)
        assert await closing_code(live) == 4401


@pytest.mark.parametrize("purpose", ["account", "camera"])
async def test_its_owner_agrees_to_both_texts_all_the_time(
    purpose: str, key: str, viewer: User
) -> None:
    async with AsyncExitStack() as stack:
        live = await stack.enter_async_context(opened(program(key)))
        await sync_to_async(consent.withdraw)(viewer, purpose)
        assert await closing_code(live) == 4403
    assert await code_of(program(key)) == 4403


async def test_it_counts_with_the_persons_other_sockets(key: str, viewer: User) -> None:
    _token, another = await sync_to_async(tokens.create)(viewer, "second", "live", None)
    async with opened(program(key)), opened(program(another)):
        assert await code_of(program(key)) == 4429
        assert await code_of(program(another)) == 4429


async def test_it_uses_up_the_persons_live_minutes(key: str, viewer: User) -> None:
    await User.objects.filter(pk=viewer.pk).aupdate(quota_live_minutes_a_day=1)
    await sync_to_async(quotas.add_live_seconds)(viewer.pk, 61)
    assert await code_of(program(key)) == 4402


async def test_wrong_tokens_count_with_those_of_the_api(key: str, settings: Settings) -> None:
    settings.WRONG_TOKEN_RATE = "3/h"

    def asked() -> int:
        wrong = Client(REMOTE_ADDR="127.0.0.1", headers={"Authorization": "Bearer x"})
        return wrong.get("/api/v1/me/").status_code

    def socket(key: str) -> WebsocketCommunicator:
        communicator = program(key)
        communicator.scope["client"] = ["127.0.0.1", 50_000]
        return communicator

    assert await code_of(socket("wrong")) == 4401
    assert await sync_to_async(asked)() == 401
    assert await code_of(socket("wrong")) == 4401
    assert await code_of(socket("wrong")) == sockets.TOO_MANY_SOCKETS
    assert await sync_to_async(asked)() == 429
    async with opened(socket(key)):
        pass


async def test_a_wrong_token_is_a_request_of_somebody_unknown(settings: Settings) -> None:
    settings.ANONYMOUS_RATE = "2/h"

    def socket() -> WebsocketCommunicator:
        communicator = program("wrong")
        communicator.scope["client"] = ["127.0.0.1", 50_000]
        return communicator

    assert await code_of(socket()) == 4401
    assert await code_of(socket()) == 4401
    assert await code_of(socket()) == 4429
    visit = await sync_to_async(Client(REMOTE_ADDR="127.0.0.1").get)("/about/")
    assert visit.status_code == 429
