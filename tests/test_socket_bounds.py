"""What a WebSocket holds of a message that has begun; the rest is tried on a running site."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tracemalloc
from types import SimpleNamespace
from typing import Any

import pytest

from emotion_site import socket_bounds
from emotion_site.socket_bounds import MESSAGE_SECONDS, BoundedSocket
from tests.support.site import ROOT

N, GOING_AWAY = 100_000, 1001


@pytest.fixture
def bounded() -> Any:
    """An open one without a connection, of what bounds decide by."""
    made = BoundedSocket()
    made.state, made.failedByMe, made.websocket_version = made.STATE_OPEN, False, 13
    made.maxMessagePayloadSize = made.maxFramePayloadSize = 10 * N
    made.trackedTimings = None
    made.socket_opened = made.last_ping = time.time()
    made.server = SimpleNamespace(websocket_timeout=-1, ping_interval=60)
    return made


def begin(bounded: Any, frames: int, pieces: int) -> None:
    """A message in fragments, each of which comes in pieces of two bytes; its end does not come."""
    bounded.onMessageBegin(True)
    for _ in range(frames):
        bounded.onMessageFrameBegin(2 * pieces)
        for _ in range(pieces):
            bounded.onMessageFrameData(bytes([7, 8]))
        if frames > 1:
            bounded.onMessageFrameEnd()


@pytest.mark.parametrize(("frames", "pieces"), [(N, 1), (1, N)], ids=["fragments", "segments"])
def test_a_message_in_pieces_takes_what_it_holds(bounded: Any, frames: int, pieces: int) -> None:
    tracemalloc.start()
    begin(bounded, frames, pieces)
    taken, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 2 * N * 2
    heard: list[bytes] = []
    bounded._onMessage = lambda payload, is_binary: heard.append(payload)
    bounded.fire = lambda *arguments, **options: None
    if frames == 1:
        bounded.onMessageFrameEnd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autobahn.websocket.protocol.txaio.add_callbacks", lambda *all_: None)
        bounded.onMessageEnd()
    assert heard == [bytes([7, 8]) * N]


def test_who_reads_no_answers_is_not_read_from() -> None:
    """Each ping is answered, and what is not read was kept: megabytes of one socket."""
    arguments = [sys.executable, "-m", "tests.support.unread_socket"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    told = subprocess.run(arguments, cwd=ROOT, env=environment, check=True, capture_output=True)
    found = json.loads(told.stdout)
    assert found["sent"] > 1000
    assert found["kept"] < 1_000_000


def test_what_was_begun_goes_with_its_socket(bounded: Any) -> None:
    begin(bounded, 1, N)
    bounded._forget(lambda message: True)
    assert list(bounded.frame_data) == list(bounded.message_data) == [b""]


@pytest.mark.parametrize("state", ["STATE_CONNECTING", "STATE_CLOSED"])
def test_one_that_is_told_to_go_is_not_opened_again(bounded: Any, state: str) -> None:
    """Its application accepts it a moment later."""
    accepted: list[str | None] = []
    bounded.state, bounded.client_addr = getattr(bounded, state), None
    bounded.handshake_deferred = SimpleNamespace(callback=accepted.append)
    bounded.serverAccept("visage")
    assert accepted == ["visage"] * (state == "STATE_CONNECTING")


def test_whoever_says_goodbye_and_reads_no_more_is_not_waited_for(
    bounded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    later: list[tuple[float, Any]] = []
    done: list[str] = []
    bounded.factory = SimpleNamespace(
        reactor=SimpleNamespace(callLater=lambda seconds, call: later.append((seconds, call)))
    )
    bounded.wasClean, bounded.is_closed = True, None
    bounded.transport = SimpleNamespace(
        unregisterProducer=lambda: None,
        loseConnection=lambda: done.append("waits"),
        abortConnection=lambda: done.append("gone"),
    )
    monkeypatch.setattr("autobahn.websocket.protocol.txaio.resolve", lambda *all_: None)
    bounded.dropConnection()
    ((seconds, call),) = later
    assert (seconds, done) == (socket_bounds.GOODBYE_SECONDS, ["waits"])
    call()
    assert done[-1] == "gone"


@pytest.mark.parametrize("seconds", [MESSAGE_SECONDS - 5, MESSAGE_SECONDS + 1])
def test_a_message_that_does_not_end_is_not_waited_for(
    bounded: Any, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(bounded, "_cut_off", codes.append)
    begin(bounded, 1, 1)
    later = time.monotonic() + seconds
    monkeypatch.setattr(socket_bounds, "time", SimpleNamespace(monotonic=lambda: later))
    bounded.check_timeouts()
    assert codes == [GOING_AWAY] * (seconds > MESSAGE_SECONDS)
