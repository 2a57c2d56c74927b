"""Every address of the account area is tried as a stranger; what takes an id, also as others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User

#: Addresses of accounts/ that anybody may open: the ways in.
OPEN = {
    "account_signup", "account_login", "account_logout", "account_inactive",
    "account_email_verification_sent", "account_confirm_email",
    "account_reset_password", "account_reset_password_done",
    "account_reset_password_from_key", "account_reset_password_from_key_done",
    # The second step of signing in: without the first it leads back to it.
    "mfa_authenticate", "mfa_trust",
}  # fmt: skip
#: Those that take an id of somebody's, with the test that tries them as others.
WITH_ID = {"delete_api_token": "test_tokens.py"}
#: Pages for whoever is signed in.
OWN_PAGES = [
    "profile", "activity", "tokens", "tokens/new", "consent", "email", "password/change", "2fa",
    "2fa/totp/activate", "sessions",
]  # fmt: skip


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    """``(name, pattern)`` of every address below accounts/."""
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            if pattern.startswith("accounts/"):
                yield entry.name or "", pattern
        else:
            yield from routes(entry, pattern)


ROUTES = dict(routes(get_resolver()))


def test_every_address_with_an_id_is_known() -> None:
    assert {name for name, pattern in ROUTES.items() if "<int:" in pattern} == set(WITH_ID)


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", sorted(set(ROUTES) - OPEN - {""}))
def test_strangers_are_sent_to_sign_in(name: str, method: str) -> None:
    path = "/" + ROUTES[name].replace("<int:pk>", "1")
    response = getattr(Client(), method)(path)
    if response.status_code == 405:  # Another method acts on it, and is tried as well.
        return
    assert response.status_code == 302, name
    assert response["Location"].startswith("/accounts/login/"), name


@pytest.mark.parametrize("page", OWN_PAGES)
def test_pages_are_private_and_hold_nothing_of_others(
    page: str, alice: User, bob_client: Client
) -> None:
    response = bob_client.get(f"/accounts/{page}/", follow=True)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert alice.email not in response.content.decode()
    assert "unsafe" not in response["Content-Security-Policy"]
    assert "style=" not in response.content.decode()


def test_forms_need_a_token(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    for page in ("profile", "tokens/new", "tokens/1/delete", "consent", "consent/camera"):
        assert client.post(f"/accounts/{page}/").status_code == 403


def test_the_bare_address_leads_to_the_profile(alice_client: Client) -> None:
    assert alice_client.get("/accounts/")["Location"] == "/accounts/profile/"
