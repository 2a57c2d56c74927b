"""Every address that the site answers, found from its URL resolver and tried by everybody.

The tables are in `tests/support/routes.py`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from accounts.models import User
from recognition.models import Upload
from recognition.routing import websocket_urlpatterns
from studies.routing import websocket_urlpatterns as study_urlpatterns
from tests.support import everything
from tests.support.everything import Arguments
from tests.support.routes import (
    ALL,
    CHANGING,
    FOR_ALL_STAFF,
    LISTS,
    METHODS,
    PUBLIC,
    REFUSALS,
    ROUTES,
    SIGN_IN,
    WITH_ARGUMENT,
    WITHOUT,
    Address,
    Answers,
    Route,
)

# People and things ------------------------------------------------------------------------------


@pytest.fixture
def clients(alice: User, bob: User, charlie: User, root: User, settings: Any) -> dict[str, Client]:
    settings.API_RATE = settings.API_UPLOAD_RATE = settings.API_ANONYMOUS_RATE = ""
    found = {"anonymous": Client()}
    people = {"owner": alice, "other": bob, "staff": charlie, "operator": root}
    for who, person in people.items():
        found[who] = Client()
        found[who].force_login(person)
    return found


@pytest.fixture
def things(alice_upload: Upload) -> Arguments:
    return everything.make(alice_upload)


#: What betrays Alice, beside the ids of what is hers.
MARKS = (
    "alice@",
    "alice.two@",
    "alice.example",
    "bell of Alice",
    "laptop of Alice",
    "party.jpg",
    "film of",
    "Study of",
    "code of",
)


def betrays(response: Any, things: Arguments) -> list[str]:
    """What of Alice's is in an answer, beside the address that was asked for."""
    content = b"".join(response) if response.streaming else response.content
    content = content.replace(response.request["PATH_INFO"].encode(), b"")
    ids = [str(things[name]["pk"]) for name in ("upload", "session", "export", "webhook", "study")]
    return [mark for mark in (*MARKS, *ids) if mark.encode() in content]


def rows() -> dict[str, list[Any]]:
    """All that is stored, but for what keeps itself up to date: what people download of their own
    is written down, and how often a study's link is opened is counted.
    """
    kept = {"accounts", "recognition", "auth", "account", "mfa", "usersessions", "studies"}
    found = {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.app_label in kept and model._meta.label != "auth.Permission"
    }
    for study in found["studies.Study"]:
        del study["n_came"]
    events = found["accounts.AuditEvent"]
    found["accounts.AuditEvent"] = [event for event in events if not is_own_download(event)]
    return found


def is_own_download(event: dict[str, Any]) -> bool:
    is_own = event["user_id"] == event["actor_id"]
    return is_own and event["action"] == "results_downloaded"


def call(client: Client, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    if method == "POST" and not path.startswith("/api/"):
        return client.post(path, body or {})
    if method == "GET":
        return client.get(path)
    return client.generic(method, path, json.dumps(body or {}), content_type="application/json")


def without_token(client: Client) -> Client:
    """The same person, led here by another site: the session's cookie, and no token."""
    misled = Client(enforce_csrf_checks=True)
    misled.cookies = client.cookies
    return misled


def answer(response: Any) -> int | str:
    """The status, or :data:`SIGN_IN`."""
    target = response.headers.get("Location", "")
    is_sign_in = target.startswith(("/accounts/login/", "/admin/login/"))
    return SIGN_IN if response.status_code == 302 and is_sign_in else int(response.status_code)


def like_get(route: Route, who: str) -> int | str | None:
    """What any other method gives on Django's and allauth's pages; None on those of the site."""
    return getattr(route.answers["GET"], who) if route.any_method else None


# Tests ------------------------------------------------------------------------------------------


def test_every_address_is_in_the_tables() -> None:
    """A new one fails here: say in the table who gets what."""
    names = [address.name for address in ALL]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    assert {address.name for address in WITH_ARGUMENT} == set(ROUTES)
    assert PUBLIC | FOR_ALL_STAFF | set(LISTS) <= {address.name for address in WITHOUT}
    sockets = [*websocket_urlpatterns, *study_urlpatterns]
    found = [str(entry.pattern) for entry in sockets]
    assert found == ["ws/uploads/", "ws/live/", "ws/study/"]


@pytest.mark.parametrize("address", WITH_ARGUMENT, ids=lambda address: address.name)
def test_what_takes_an_argument_is_for_its_owner(
    address: Address, clients: dict[str, Client], things: Arguments
) -> None:
    route = ROUTES[address.name]
    path = address.path(**things[route.thing])
    gets_in = "operator" if address.is_administration else "owner"
    before = rows()
    for who in (who for who in Answers._fields if who != gets_in):
        for method in METHODS:
            response = call(clients[who], method, path, route.body)
            if method in route.answers:
                assert answer(response) == getattr(route.answers[method], who), (who, method)
            else:
                assert answer(response) in {*REFUSALS, like_get(route, who)}, (who, method)
            if response.status_code == 401:
                assert response["WWW-Authenticate"].startswith("Bearer")
                assert response.json()["code"] == "not_authenticated"
            if not (address.is_administration and response.status_code == 302):
                assert betrays(response, things) == [], (who, method)
    for method in CHANGING:
        response = call(without_token(clients[gets_in]), method, path, route.body)
        assert response.status_code in {403, 404, 405}, ("without a token", method)
    assert rows() == before, "somebody changed what is not theirs"

    # What acts comes last, and of that what deletes.
    for method in sorted(METHODS, key=lambda method: method in route.answers):
        response = call(clients[gets_in], method, path, route.body)
        if method in route.answers:
            assert answer(response) == getattr(route.answers[method], gets_in), method
            assert {"private", "no-store"} <= set(response["Cache-Control"].split(", ")), method
        else:
            assert answer(response) in {405, like_get(route, gets_in)}, method


def test_strangers_are_sent_to_sign_in(clients: dict[str, Client]) -> None:
    wrong = {}
    for address in WITHOUT:
        found = {m: answer(call(clients["anonymous"], m, address.path())) for m in METHODS}
        if address.name in PUBLIC:
            is_right = found["GET"] not in {401, 403, 404}
        else:
            is_right = set(found.values()) <= REFUSALS and set(found.values()) != {405}
        if not is_right:
            wrong[address.name] = found
    assert wrong == {}


def test_nothing_is_changed_from_another_site(clients: dict[str, Client]) -> None:
    wrong = {}
    for address in WITHOUT:
        misled = without_token(clients["operator" if address.is_administration else "owner"])
        found = {m: call(misled, m, address.path()).status_code for m in CHANGING}
        # 415: what it was sent was no form, and was not looked at.
        if not set(found.values()) <= {403, 404, 405, 415}:
            wrong[address.name] = found
    assert wrong == {}


@pytest.mark.parametrize("who", ["anonymous", "other", "staff", "operator"])
def test_nobody_reads_of_others(who: str, clients: dict[str, Client], things: Arguments) -> None:
    for address in WITHOUT:
        if address.is_administration:
            continue
        response = clients[who].get(address.path(), follow=True)
        assert betrays(response, things) == [], address
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy, address
        assert "frame-ancestors 'none'" in policy, address
        assert "'unsafe-" not in policy, address
        assert "camera=(self)" in response.headers["Permissions-Policy"], address
        if who != "anonymous" and address.name not in PUBLIC:
            assert "no-store" in response.headers["Cache-Control"], address


def test_the_owner_reads_their_own(clients: dict[str, Client], things: Arguments) -> None:
    for name, thing in LISTS.items():
        assert str(things[thing]["pk"]) in clients["owner"].get(reverse(name)).text, name


def test_the_administration_is_for_staff_who_may(clients: dict[str, Client], settings: Any) -> None:
    settings.FORM_RATE = ""  # Every form of the site at once, which no person sends.
    for address in WITHOUT:
        if not address.is_administration or address.name in PUBLIC:
            continue
        for method in METHODS:
            for who in ("owner", "other"):
                found = answer(call(clients[who], method, address.path()))
                assert found == SIGN_IN, (address, who, method)
            if address.name not in FOR_ALL_STAFF:
                found = answer(call(clients["staff"], method, address.path()))
                assert found in REFUSALS, (address, method)
