"""Guessing passwords and codes ends after five, wherever it is done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from django.core.cache import cache
from django.core.cache.backends.db import DatabaseCache
from django.test import Client
from django.utils import timezone

from accounts import tasks
from accounts.models import AuditEvent, User
from tests.support.signing_in import (
    SECRET,
    is_signed_in,
    sign_in,
    switch_on_two_factors,
    totp_code,
    wrong_code,
)
from tests.support.site import Person, Site

TOO_MANY = "Too many failed login attempts"
LOGIN = "/accounts/login/"


def admin_login(client: Client) -> str:
    """Where the administration sends people who want in."""
    response = client.get("/admin/", follow=True)
    return str(response.redirect_chain[-1][0])


def guess(client: Client, email: str, path: str = LOGIN, times: int = 5, **options: str) -> None:
    for number in range(times):
        response = sign_in(client, email, f"wrong-{number}", path, **options)
        assert response.status_code == 200
        assert TOO_MANY not in response.content.decode()


@pytest.mark.parametrize("at", ["site", "admin"])
def test_the_sixth_try_is_refused_even_with_the_right_password(
    at: str, charlie: User, alice: User
) -> None:
    client = Client()
    path = LOGIN if at == "site" else admin_login(client)
    guess(client, "charlie@example.org", path)
    for password in ("wrong-5", "charlie-password"):
        assert TOO_MANY in sign_in(client, charlie.email, password, path).content.decode()
    assert not is_signed_in(client)
    assert sign_in(client, alice.email, "alice-password", path).status_code == 302
    assert is_signed_in(client)


def test_site_and_administration_count_together(charlie: User) -> None:
    client = Client()
    guess(client, charlie.email, LOGIN, 3)
    guess(client, charlie.email, admin_login(client), 2)
    assert TOO_MANY in sign_in(client, charlie.email, "charlie-password").content.decode()


def test_the_administration_takes_no_password_itself(charlie: User) -> None:
    client = Client()
    form = {"username": charlie.email, "password": "charlie-password"}
    response = client.post("/admin/login/?next=/admin/", form)
    assert response.status_code == 302
    assert response["Location"].startswith(LOGIN)
    assert not is_signed_in(client)


def test_the_administration_is_for_staff(alice_client: Client, charlie: User) -> None:
    assert alice_client.get("/admin/", follow=True).status_code == 403
    client = Client()
    response = sign_in(client, charlie.email, "charlie-password", admin_login(client))
    assert response["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_other_spellings_ports_and_addresses_do_not_begin_anew(alice: User) -> None:
    for number in range(5):
        client = Client(REMOTE_ADDR=f"10.0.0.{number}")
        email = [alice.email, "ALICE@example.org", " alice@Example.ORG "][number % 3]
        guess(client, email, times=1, headers={"host": f"testserver:{8000 + number}"})
    assert TOO_MANY in sign_in(Client(), alice.email, "alice-password").content.decode()


def test_right_passwords_do_not_count(alice: User) -> None:
    for _ in range(7):
        client = Client()
        assert sign_in(client, alice.email, "alice-password").status_code == 302
        assert is_signed_in(client)


def test_the_old_password_is_no_way_round(alice: User, alice_client: Client) -> None:
    form = {"password1": "another-good-7", "password2": "another-good-7"}
    for number in range(5):
        alice_client.post("/accounts/password/change/", {**form, "oldpassword": f"wrong-{number}"})
    page = alice_client.post(
        "/accounts/password/change/", {**form, "oldpassword": "alice-password"}
    )
    assert page.status_code in {200, 429}
    alice.refresh_from_db()
    assert alice.check_password("alice-password")
    assert TOO_MANY in sign_in(Client(), alice.email, "alice-password").content.decode()


def test_five_minutes_later_it_goes_on(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from allauth.core.internal import ratelimit

    guess(Client(), alice.email)
    assert TOO_MANY in sign_in(Client(), alice.email, "alice-password").content.decode()
    now = ratelimit.time.time()
    monkeypatch.setattr(ratelimit.time, "time", lambda: now + 301)
    client = Client()
    sign_in(client, alice.email, "alice-password")
    assert is_signed_in(client)


def test_codes_are_limited_too(alice: User, bob: User) -> None:
    recovery_code, *_rest = switch_on_two_factors(alice)
    client = Client()
    assert (
        sign_in(client, alice.email, "alice-password")["Location"] == "/accounts/2fa/authenticate/"
    )
    for _ in range(5):
        page = client.post("/accounts/2fa/authenticate/", {"code": wrong_code(SECRET)})
        assert "Incorrect code." in page.content.decode()
    for code in (wrong_code(SECRET), totp_code(SECRET), recovery_code):
        page = client.post("/accounts/2fa/authenticate/", {"code": code})
        assert TOO_MANY in page.content.decode()
    assert not is_signed_in(client)
    # Nor does beginning again with the password.
    again = Client()
    sign_in(again, alice.email, "alice-password")
    page = again.post("/accounts/2fa/authenticate/", {"code": totp_code(SECRET)})
    assert TOO_MANY in page.content.decode()
    steps = AuditEvent.objects.filter(user=alice, action="sign_in_failed")
    assert {event.details["step"] for event in steps} == {"code"}
    assert sign_in(Client(), bob.email, "bob-password").status_code == 302


def test_a_limit_that_cannot_be_counted_is_no_open_door(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DatabaseCache, "add", lambda *_arguments, **_options: False)
    client = Client()
    assert sign_in(client, alice.email, "alice-password").status_code == 429
    assert not is_signed_in(client)


def test_what_has_expired_is_not_kept(alice: User) -> None:
    from allauth.usersessions.models import UserSession
    from django.contrib.sessions.models import Session

    client = Client()
    sign_in(client, alice.email, "alice-password")
    other = Client()
    sign_in(other, alice.email, "alice-password")
    Session.objects.filter(pk=other.session.session_key).update(
        expire_date=timezone.now() - timedelta(days=1)
    )
    cache.set("old", 1, timeout=-1)
    cache.set("new", 1, timeout=60)
    tasks.clear_expired()
    assert cache.get("new") == 1
    assert [row.session_key for row in UserSession.objects.all()] == [client.session.session_key]
    assert Session.objects.count() == 1


def test_the_running_site_counts_without_redis_and_across_processes(own_site: Site) -> None:
    """Many at once and one by one, then at a process started since; all with Redis gone."""
    own_site.sign_up("target@example.org")
    own_site.sign_up("other@example.org")
    own_site.kill("redis")

    def try_password(email: str, password: str) -> httpx.Response:
        form = {"login": email, "password": password}
        return Person(own_site.url).post("/accounts/login/", data=form)

    def is_refused(response: httpx.Response) -> bool:
        return response.status_code == 429 or TOO_MANY in response.text

    wrong = [f"wrong-{number}" for number in range(10)]
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda word: try_password("target@example.org", word), wrong))
    n_tried = sum(not is_refused(answer) for answer in answers)
    while not is_refused(try_password("target@example.org", "wrong again")):
        n_tried += 1
    assert n_tried == 5
    own_site.kill("web")
    own_site.start("web")
    own_site.wait_for_web()
    assert is_refused(try_password("target@example.org", "a-good-password-7"))
    assert try_password("other@example.org", "a-good-password-7").status_code == 302
