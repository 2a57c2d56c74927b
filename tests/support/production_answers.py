"""What a site outside debug answers, printed as JSON; a test runs it in a shell of the site.

The settings of the tests differ from a real site's (debug, hashers, cookies), so what is promised
of those is asked of the real ones.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from allauth.account.adapter import get_adapter
from django.core.management import call_command
from django.test import Client, RequestFactory

from accounts.models import User

VISITOR, OTHER_VISITOR, PROXY = "198.51.100.7", "198.51.100.8", "192.0.2.1"
#: Refused for being common, all digits, short, or the person's own address.
WEAK_PASSWORDS = ("password123", "8305271946", "k9-Zq2", "weak.person@example.org")
GOOD_PASSWORD = "correct-horse-battery-7"


def main() -> None:
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    client = Client(enforce_csrf_checks=False)
    page = client.get("/accounts/login/", secure=True)
    for password in WEAK_PASSWORDS:
        sign_up(client, password)
    n_with_weak_passwords = User.objects.count()
    signed_up = sign_up(client, GOOD_PASSWORD)
    (person,) = User.objects.all()
    plain = Client().get("/accounts/login/", headers={"X-Forwarded-Proto": "https"})
    chosen = client.post("/language/", {"language": "de"}, secure=True)
    told = client.post("/uploads/new/", secure=True)
    answers = {
        "cookie_names": sorted({*page.cookies, *signed_up.cookies, *chosen.cookies, *told.cookies}),
        "headers": dict(page.headers),
        "cookies": {
            name.removeprefix("__Host-"): {
                key: morsel[key] for key in ("samesite", "secure", "httponly", "domain", "path")
            }
            for cookies in (page.cookies, signed_up.cookies, told.cookies)
            for name, morsel in cookies.items()
        },
        "people_with_weak_passwords": n_with_weak_passwords,
        "hash": person.password.partition("$")[0],
        "claims_https": plain.status_code,
        "addresses": {
            "visitor": address_of(VISITOR),
            "other": address_of(OTHER_VISITOR),
            "liar": address_of(f"203.0.113.99, {VISITOR}"),
        },
    }
    sys.stdout.write(json.dumps(answers) + "\n")


def sign_up(client: Client, password: str) -> Any:
    form = {
        "email": "weak.person@example.org",
        "password1": password,
        "password2": password,
        "consent": "on",
    }
    return client.post("/accounts/signup/", form, secure=True)


def address_of(forwarded_for: str) -> str:
    """Whom the limits take a request for that reached the site through a proxy."""
    request = RequestFactory().get("/", REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=forwarded_for)
    return get_adapter().get_client_ip(request)
