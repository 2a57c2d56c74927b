"""Sessions: what is looked up, how many a person has, and what is kept in them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from channels.auth import get_user
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import access, headers
from accounts.models import User
from accounts.sessions import SessionStore
from tests.support.signing_in import sign_in

ODD = {
    "a zero": '"abcdefghijklm\\000"',
    "short": "abcdefgh",
    "long": "a" * 3000,
    "capital letters": "A" * 32,
    "an end of line": '"' + "a" * 32 + '\\012"',
}


@pytest.mark.parametrize("key", ODD.values(), ids=ODD)
def test_what_cannot_be_a_key_is_nobodys(key: str, db: None) -> None:
    cookie = f"{settings.SESSION_COOKIE_NAME}={key}"
    with CaptureQueriesContext(connection) as queries:
        answer = Client(raise_request_exception=False).get("/uploads/", headers={"Cookie": cookie})
        assert headers.signed_in_id(cookie.encode(), b"") is None
    assert answer.status_code == 302
    assert not [query for query in queries if "django_session" in query["sql"]]


def test_a_key_is_what_the_site_gave(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].OutputString().split(";")[0]
    assert headers.signed_in_id(cookie.encode(), b"") == alice.pk
    assert Client().get("/uploads/", headers={"Cookie": cookie}).status_code == 200


def test_a_person_has_so_many_sessions(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MOST_SESSIONS", 3)
    clients = [Client() for _ in range(5)]
    for client in clients:
        sign_in(client, alice.email, "alice-password")
    assert UserSession.objects.filter(user=alice).count() == 3
    there = [client.get("/uploads/").status_code == 200 for client in clients]
    assert there == [False, False, True, True, True]


@pytest.mark.parametrize("page", ["totp/activate", "recovery-codes/generate"])
def test_a_request_is_kept_for_nobody(page: str, db: None) -> None:
    client = Client()
    answer = client.post(f"/accounts/2fa/{page}/", {"code": "x" * 60_000})
    assert answer["Location"].startswith("/accounts/login/?next=")
    assert not Session.objects.exists()


def test_a_large_form_is_not_kept_until_the_password_is_given(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    page = "/accounts/2fa/totp/activate/"
    answer = client.post(page, {"code": "x" * 60_000})
    assert answer["Location"] == f"/accounts/reauthenticate/?next={page}"
    assert max(len(row.session_data) for row in Session.objects.all()) < 4000
    client.post(page, {"code": "123456"})
    assert "account_reauthentication_state" in client.session, "a small one is"


def test_sentences_that_nobody_reads_do_not_pile_up(alice_client: Client) -> None:
    sizes = []
    digits = random.Random(1)
    for _turn in range(6):
        names = [f"{digits.randrange(10**200)}.jpg" for _ in range(50)]
        files = [SimpleUploadedFile(name, b"") for name in names]
        assert alice_client.post("/uploads/new/", {"images": files}).status_code == 302
        sizes.append(len(Session.objects.get().session_data))
    assert max(sizes) < 15_000
    page = alice_client.get("/uploads/").text
    assert all(name in page for name in names), "the newest are there"


@pytest.fixture
def another_key(settings: Any) -> Callable[[], None]:
    """Change ``SECRET_KEY`` as SECURITY.md says."""

    def change() -> None:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-key-" * 5

    return change


def test_sessions_go_on_and_can_be_ended_after_the_secret_key_was_changed(
    alice: User, another_key: Callable[[], None]
) -> None:
    """Most of all then: a key is changed where something got away."""
    mine, elsewhere, thiefs = Client(), Client(), Client()
    for client in (mine, thiefs):
        sign_in(client, alice.email, "alice-password")
    another_key()
    # It looks through all of her sessions.
    sign_in(elsewhere, alice.email, "alice-password")
    assert {client.get("/uploads/").status_code for client in (mine, elsewhere, thiefs)} == {200}
    listed = UserSession.objects.values_list("session_key", flat=True)
    assert {*listed} == {*Session.objects.values_list("session_key", flat=True)}
    mine.post("/accounts/sessions/")
    assert mine.get("/uploads/").status_code == 200
    assert thiefs.get("/uploads/").status_code == 302


def test_asking_whose_a_request_is_ends_no_session(
    alice: User, another_key: Callable[[], None]
) -> None:
    """Before a large body, or where a socket opens: nobody could tell the browser a new key."""
    client = Client()
    client.force_login(alice)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].OutputString().split(";")[0]
    another_key()
    assert headers.signed_in_id(cookie.encode(), b"") == alice.pk
    session = SessionStore(client.session.session_key)
    # What it does in its thread; that one would end the test's transaction.
    assert get_user.func({"session": session}) == alice
    assert client.get("/uploads/").status_code == 200


def test_another_password_ends_other_sessions(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    alice.set_password("another-password-7")
    alice.save()
    assert client.get("/uploads/").status_code == 302
