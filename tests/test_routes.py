"""Every address that the site answers, found from its URL resolver and tried by everybody.

A new address fails here until its line says who gets what: in :data:`ROUTES` if it takes an
argument, in :data:`PUBLIC` if strangers may open it; any other must send them to sign in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from recognition.models import Upload
from recognition.routing import websocket_urlpatterns
from tests import everything
from tests.everything import Arguments

CHANGING = ("POST", "PUT", "PATCH", "DELETE")
METHODS = ("GET", *CHANGING)
#: Sent to sign in; anything else in the table is a status.
SIGN_IN = "to sign in"
#: What those may get who have no business there.
REFUSALS = {SIGN_IN, 401, 403, 404, 405}


# Addresses ------------------------------------------------------------------------------------


class Address(NamedTuple):
    """An entry of the resolver; `name` is its pattern where it has none."""

    name: str
    pattern: str

    @property
    def takes_an_argument(self) -> bool:
        return re.search(r"<\w", self.pattern) is not None

    @property
    def is_administration(self) -> bool:
        return self.pattern.startswith("admin/")

    def path(self, **arguments: Any) -> str:
        if self.name != self.pattern:
            return reverse(self.name, kwargs=arguments)
        path = self.pattern.removeprefix("^")
        for argument, value in arguments.items():
            path = re.sub(rf"<(\w+:)?{argument}>|\(\?P<{argument}>.*\)\$?", str(value), path)
        return f"/{path}"


def addresses(resolver: URLResolver, prefix: str = "", namespace: str = "") -> Iterator[Address]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield Address(namespace + entry.name if entry.name else pattern, pattern)
        else:
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from addresses(entry, pattern, inner)


ALL = list(addresses(get_resolver()))
WITH_ARGUMENT = [address for address in ALL if address.takes_an_argument]
WITHOUT = [address for address in ALL if not address.takes_an_argument]


# Who gets what ----------------------------------------------------------------------------------


class Answers(NamedTuple):
    """What each gets of something of Alice's: a status, or :data:`SIGN_IN`.

    Staff have no permissions, the operator has all; neither has a way to people's own pages.
    """

    owner: int | str
    other: int | str
    anonymous: int | str
    staff: int | str
    operator: int | str


class Route(NamedTuple):
    """What is behind an address, by its name in :mod:`tests.everything`, and who gets what of it.

    All other methods are refused to everybody, or, with `any_method`, do what GET does.
    """

    thing: str
    answers: dict[str, Answers]
    body: dict[str, Any]
    any_method: bool = False


def own(thing: str, body: dict[str, Any] | None = None, **owner: int) -> Route:
    """A page for the owner; it does not exist for anybody else."""
    answers = {m: Answers(status, 404, SIGN_IN, 404, 404) for m, status in owner.items()}
    return Route(thing, answers, body or {})


def interface(thing: str, body: dict[str, Any] | None = None, **owner: int) -> Route:
    """The same for programs, which are not sent to a form."""
    answers = {m: Answers(status, 404, 401, 404, 404) for m, status in owner.items()}
    return Route(thing, answers, body or {})


def staff_only(
    thing: str, body: dict[str, Any] | None = None, staff: int = 403, **operator: int
) -> Route:
    """A page of the administration, for those with the permission."""
    answers = {
        m: Answers(SIGN_IN, SIGN_IN, SIGN_IN, 405 if status == 405 else staff, status)
        for m, status in operator.items()
    }
    return Route(thing, answers, body or {}, any_method=operator["GET"] != 405)


def everybody(thing: str, **status: int) -> Route:
    """An address that is opened by a key in it; this one is made up, and opens nothing."""
    answers = {method: Answers(*[answer] * 5) for method, answer in status.items()}
    return Route(thing, answers, {}, any_method=True)


def administered(
    model: str, thing: str, *, change: int = 403, delete: int = 403
) -> dict[str, Route]:
    """The addresses that Django makes for a row: `change` and `delete` are the answers to a POST.

    A change is sent as an empty form: 200 means that it was read and found wanting.
    """
    confirmation = 403 if delete == 403 else 200
    return {
        f"admin:{model}_change": staff_only(thing, GET=200, POST=change),
        f"admin:{model}_delete": staff_only(thing, {"post": "yes"}, GET=confirmation, POST=delete),
        f"admin:{model}_history": staff_only(thing, GET=200, POST=200),
        # Django's way from the bare address to the page, which asks for the permission.
        f"admin/{model.replace('_', '/')}/<path:object_id>/": staff_only(
            thing, staff=302, GET=302, POST=302
        ),
    }


ROUTES: dict[str, Route] = {
    # Pages
    "upload_detail": own("upload", GET=200),
    "upload_image": own("upload", GET=200),
    "upload_thumbnail": own("upload", GET=200),
    "export_upload": own("upload as JSON", GET=200),
    "delete_upload": own("upload", POST=302),
    "retry_upload": own("upload", POST=302),
    "correct_face": own("face of the upload", {"label": "sad"}, POST=302),
    "draw_face": own(
        "upload", {"x": 1, "y": 1, "width": 90, "height": 90, "label": "sad"}, POST=302
    ),
    "explain_face": own("first face of the upload", POST=302),
    "face_heat_map": own("first face of the upload", GET=200),
    "live_session": own("session", GET=200),
    "export_live_session": own("session", GET=200),
    "delete_live_session": own("session", POST=302),
    "download_export": own("export", GET=200),
    "delete_export": own("export", POST=302),
    "webhook": own("webhook", GET=200),
    "ping_webhook": own("webhook", POST=302),
    "switch_webhook": own("webhook", POST=302),
    "delete_webhook": own("webhook", POST=302),
    "delete_api_token": own("token", POST=302),
    # The argument is no id: everybody gets a file of what is theirs.
    "export_uploads": Route("as JSON", {"GET": Answers(200, 200, SIGN_IN, 200, 200)}, {}),
    # Ways in
    "account_confirm_email": everybody("key of a mail", GET=200, POST=404),
    "account_reset_password_from_key": everybody("key of a person", GET=200, POST=200, PUT=200),
    # API
    "api-upload-detail": interface("upload", GET=200, DELETE=204),
    "api-upload-image": interface("upload", GET=200),
    "api-upload-thumbnail": interface("upload", GET=200),
    "api-upload-retry": interface("upload", POST=409),
    "api-prediction-detail": interface("face", {"correction": "sad"}, GET=200, PATCH=200),
    "api-live-session-detail": interface("session", GET=200, DELETE=204),
    "api-webhook-detail": interface(
        "webhook", {"is_active": False}, GET=200, PATCH=200, DELETE=204
    ),
    "api-webhook-ping": interface("webhook", POST=202),
    "api-webhook-deliveries": interface("webhook", GET=200),
    # Administration
    **administered("auth_group", "group, administered", change=200, delete=302),
    **administered("account_emailaddress", "address, administered", change=200, delete=302),
    **administered("mfa_authenticator", "factor, administered", change=302, delete=302),
    **administered("usersessions_usersession", "sign-in, administered", change=302, delete=302),
    **administered("accounts_apitoken", "token, administered"),
    **administered("accounts_auditevent", "event, administered"),
    **administered("accounts_consent", "consent, administered"),
    **administered("accounts_user", "person, administered", change=200, delete=302),
    **administered("recognition_dataexport", "export, administered"),
    **administered("recognition_livesession", "session, administered", delete=302),
    **administered("recognition_liveusage", "usage, administered"),
    **administered("recognition_modelchoice", "choice, administered"),
    **administered("recognition_modelcomparison", "comparison, administered"),
    **administered("recognition_prediction", "face, administered"),
    **administered("recognition_upload", "upload, administered", change=302, delete=302),
    **administered("recognition_webhook", "webhook, administered"),
    **administered("recognition_webhookdelivery", "delivery, administered"),
    "admin:auth_user_password_change": staff_only("person", GET=200, POST=200),
    "admin:recognition_upload_blurred": staff_only("upload", GET=200, POST=405),
    "admin:recognition_upload_photo": staff_only("upload", GET=405, POST=200),
    "admin:recognition_modelcomparison_cancel": staff_only("comparison", GET=405, POST=302),
    # Leads to the owner's page, which is not there for them.
    "admin:view_on_site": staff_only("page of the upload", staff=302, GET=302, POST=302),
    "admin:app_list": staff_only("application", staff=404, GET=200, POST=200),
    "admin/(?P<url>.*)$": staff_only("nothing", staff=404, GET=404, POST=404),
}  # fmt: skip

#: What strangers may open.
PUBLIC = {
    "home", "about", "healthz", "healthz_live", "set_language",
    "api-docs", "api-schema", "api-errors",
    # Leads to the profile, which asks.
    "accounts/",
    "account_signup", "account_login", "account_logout", "account_inactive",
    "account_email_verification_sent", "account_reset_password", "account_reset_password_done",
    "account_reset_password_from_key_done",
    # The second steps of signing in: without the first they lead back to it.
    "mfa_authenticate", "account_confirm_login_code",
    # Django's texts for the scripts of the administration's forms.
    "admin:jsi18n", "admin:login", "admin:logout",
}  # fmt: skip

#: What of the administration staff without permissions may open.
FOR_ALL_STAFF = {
    "admin:index", "admin:services", "admin:password_change", "admin:password_change_done",
}  # fmt: skip

#: Lists, and what of Alice's is in hers: so that looking for it in Bob's means something.
LISTS = {
    "history": "upload", "live_sessions": "session", "privacy": "export", "webhooks": "webhook",
    "api_tokens": "token", "api-upload-list": "upload", "api-prediction-list": "upload",
    "api-live-session-list": "session", "api-webhook-list": "webhook",
}  # fmt: skip


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
MARKS = ("alice@", "alice.two@", "alice.example", "laptop of Alice", "party.jpg")


def betrays(response: Any, things: Arguments) -> list[str]:
    """What of Alice's is in an answer, beside the address that was asked for."""
    content = b"".join(response) if response.streaming else response.content
    content = content.replace(response.request["PATH_INFO"].encode(), b"")
    ids = [str(things[name]["pk"]) for name in ("upload", "session", "export", "webhook")]
    return [mark for mark in (*MARKS, *ids) if mark.encode() in content]


def rows() -> dict[str, list[Any]]:
    """All that is stored, but for what keeps itself up to date."""
    kept = {"accounts", "recognition", "auth", "account", "mfa", "usersessions"}
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.app_label in kept and model._meta.label != "auth.Permission"
    }


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
    assert [str(entry.pattern) for entry in websocket_urlpatterns] == ["ws/uploads/", "ws/live/"]


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
