"""What the tests of the live page share."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from benchmarks import clip
from clients.live_client import LiveClient
from tests.site.running import Person, Site


@pytest.fixture(scope="session")
def frames() -> list[bytes]:
    """Two seconds of a camera with a smiling face, as JPEG."""
    return list(clip.jpeg_frames(clip.astronaut(), seconds=2))


@dataclass(frozen=True)
class Viewer:
    """Somebody on the running site who can open live sockets."""

    site: Site
    person: Person

    def open(self, *, origin: str | None = None) -> LiveClient:
        cookie = f"sessionid={self.person.http.cookies['sessionid']}"
        return LiveClient(self.site.url, cookie, origin=origin)


@pytest.fixture(scope="session")
def viewer(site: Site) -> Viewer:
    return Viewer(site, site.sign_up("viewer@example.org").accept_camera())
