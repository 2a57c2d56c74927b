"""An open socket does not outlive its person's right to it."""

from __future__ import annotations

import time
from typing import NoReturn

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.site import Person, Site


def disable(site: Site, person: Person, email: str) -> None:
    script = (
        "from accounts.models import User;"
        f"User.objects.filter(email='{email}').update(is_active=False)"
    )
    site.manage("shell", "--verbosity", "0", "--command", script)


def sign_out(site: Site, person: Person, email: str) -> None:
    assert person.post("/accounts/logout/").status_code == 302


def drain(socket: ClientConnection) -> NoReturn:
    while True:
        socket.recv(timeout=20)


@pytest.mark.parametrize("path", ["/ws/uploads/", "/ws/live/"])
@pytest.mark.parametrize("end", [sign_out, disable])
def test_it_is_closed_within_five_seconds(site: Site, path: str, end) -> None:
    email = f"{end.__name__}-{path.strip('/').replace('/', '-')}@example.org"
    person = site.sign_up(email)
    person.accept_camera()
    headers = {"Cookie": f"sessionid={person.http.cookies['sessionid']}"}
    address = site.url.replace("http", "ws") + path
    with connect(address, origin=site.url, additional_headers=headers) as socket:
        end(site, person, email)
        since = time.monotonic()
        with pytest.raises(ConnectionClosed) as closed:
            drain(socket)
        assert time.monotonic() - since <= 5
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
