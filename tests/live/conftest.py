"""What the tests of the live page share."""

from __future__ import annotations

import pytest

from tests.support import clip
from tests.support.site import Site
from tests.support.sockets import Viewer


@pytest.fixture(scope="session")
def frames() -> list[bytes]:
    """Two seconds of a camera with a smiling face, as JPEG."""
    return list(clip.jpeg_frames(clip.astronaut(), seconds=2))


@pytest.fixture(scope="session")
def viewer(site: Site) -> Viewer:
    return Viewer(site, site.sign_up("viewer@example.org").accept_camera())
