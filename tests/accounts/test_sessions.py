"""What a cookie says is looked up only where it can be the key of a session."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import headers
from accounts.models import User

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
