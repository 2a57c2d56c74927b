"""A real Daphne to measure, with people who are signed in."""

from __future__ import annotations

import json
from typing import Self

import httpx
import psutil

from tests.support.site import Site

#: Makes people and signs them in, without passwords, which would take longer than what follows.
_MAKE_PEOPLE = """
import json
from django.conf import settings
from django.test import Client
from accounts.purposes import ACCOUNT
from recognition.people import CAMERA
from accounts import consent
from accounts.models import User
cookies = []
for number in range({n_people}):
    client = Client()
    person, _made = User.objects.get_or_create(email=f"bench-{{number}}@example.org")
    client.force_login(person)
    for purpose in (ACCOUNT, CAMERA):
        consent.give(person, purpose)
    name = settings.SESSION_COOKIE_NAME
    cookies.append(f"{{name}}={{client.cookies[name].value}}")
print(json.dumps(cookies))
"""


def sign_in_people(site: Site, n_people: int) -> list[str]:
    """Make people who have agreed to everything, and sign them in; the Cookie header of each."""
    script = _MAKE_PEOPLE.format(n_people=n_people)
    made = site.manage("shell", "--verbosity", "0", "--command", script).stdout
    return list(json.loads(made.splitlines()[-1]))


class LiveServer(Site):
    """The site's web process as the Procfile runs it; live frames need nothing else.

    Attributes:
        cookies: the Cookie header of each person.
        process: for reading its threads and files.
    """

    PROCESSES = ("web",)

    def with_people(self, n_people: int) -> Self:
        """Make people and sign them in."""
        self.cookies = sign_in_people(self, n_people)
        self.process = psutil.Process(self.pid("web"))
        return self

    def is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/about/", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def memory(self) -> float:
        """Resident memory, in MB."""
        return float(self.process.memory_info().rss) / 1e6
