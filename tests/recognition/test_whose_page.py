"""What a page tells its own scripts of whose it is."""

from __future__ import annotations

import re

from django.test import Client

from accounts.models import User


def told(client: Client, method: str, path: str) -> str | None:
    page = client.generic(method, path).content.decode()
    assert "<body" in page
    found = re.search(r'data-user="(\d*)"', page)
    return found and found[1]


def test_a_page_says_whose_it_is(alice: User, alice_client: Client) -> None:
    for path in ("/", "/no/such/page/"):
        assert told(alice_client, "GET", path) == str(alice.pk)
        assert told(Client(), "GET", path) == ""


def test_a_form_of_another_site_makes_no_page_say_that_nobody_is_signed_in(
    alice: User, alice_client: Client
) -> None:
    """It comes without the cookie; photos still to send went, and other tabs were loaded anew."""
    assert told(Client(), "POST", "/no/such/page/") is None
    assert told(Client(enforce_csrf_checks=True), "POST", "/accounts/login/") is None
    assert told(alice_client, "POST", "/no/such/page/") == str(alice.pk)
