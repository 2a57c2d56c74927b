"""Webhooks over TLS: whom they trust, and whose name they ask for."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest

from recognition.webhooks import sending
from tests.support.certificates import certificate
from tests.support.receiver import Receiver, resolve_to

HOST = "hooks.example.org"


@pytest.fixture
def url(receiver: Receiver, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a receiver that speaks TLS as :data:`HOST`, on this machine."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    certificate(tmp_path, HOST)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    server = receiver.server
    server.socket = context.wrap_socket(server.socket, server_side=True)
    resolve_to(monkeypatch, ["127.0.0.1"])
    return f"https://{HOST}:{server.server_address[1]}/hook"


@pytest.fixture
def trusted(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever trusts what certifi lists trusts the receiver."""
    monkeypatch.setattr(certifi, "where", lambda: str(tmp_path / "certificate.pem"))


def test_a_certificate_that_nobody_vouches_for_gets_nothing(url: str, receiver: Receiver) -> None:
    outcome = sending.send(url, "secret", b"{}", {})
    assert (outcome.status_code, outcome.arrived) == (None, False)
    assert outcome.error == "The server’s certificate isn’t valid."
    assert receiver.requests == []


@pytest.mark.usefixtures("trusted")
def test_it_is_sent_in_the_name_of_the_host_and_round_every_proxy(
    url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate is the name's, and the connection goes to the address that was checked."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    outcome = sending.send(url, "secret", b"{}", {})
    assert (outcome.status_code, outcome.error) == (200, "")
    ((_path, headers, _body),) = receiver.requests
    assert headers["Host"] == url.split("/")[2]


@pytest.mark.usefixtures("trusted")
def test_another_names_certificate_is_refused(url: str, receiver: Receiver) -> None:
    outcome = sending.send(url.replace(HOST, "other.example.org"), "secret", b"{}", {})
    assert outcome.error == "The server’s certificate isn’t valid."
    assert receiver.requests == []
