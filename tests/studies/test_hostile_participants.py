"""What hostile pages send to the participant's socket, and what becomes of it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from django.core import signing
from django.utils import timezone

from accounts.models import User
from recognition.models import Marker, Recording, SeriesChunk
from recognition.series import storing
from studies.models import Participation, Study
from studies.taking_part import clocks, keys, pace, reports
from tests.support import studies
from tests.support.participants import Closed, Participant, blocks_of, in_thread, ready

pytestmark = pytest.mark.django_db(transaction=True)


async def test_only_ones_own_token_with_ones_own_cookie_opens_it(
    two_blocks: Study, participant: Participant
) -> None:
    other = await in_thread(Participant(two_blocks).agree)()
    token = await in_thread(other.token)()
    for socket in (
        await participant.open(token=token),
        await participant.open(token="made-up"),
        await participant.open(token=""),
        await participant.open(cookie="nothing=1"),
        await participant.open(cookie=other.cookie()),
    ):
        assert await socket.close_code() == 4401
    # The other's own token was used up by whoever tried it.
    assert await (await other.open(token=token)).close_code() == 4401
    assert (await (await other.open()).receive())["type"] == "ready"


def whoever_passed(study: Study) -> Participant:
    """Somebody who has passed the camera check."""
    participant = Participant(study).agree()
    studies.checked(participant.row)
    return participant


async def test_one_network_address_sends_so_many_reports(
    two_blocks: Study, participant: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many participants there are; those elsewhere notice nothing."""
    monkeypatch.setattr(pace, "REPORTS", 1e-9)
    monkeypatch.setattr(pace, "REPORTS_AT_ONCE", 2)
    words, _mood = await blocks_of(participant)
    one, other, far = [
        await (await in_thread(whoever_passed)(two_blocks)).open(address=address)
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
    ]
    for socket in (one, other, far):
        assert (await socket.receive())["type"] == "ready"
    assert (await one.tell("start", block=words))["type"] == "ack"
    assert (await one.tell("end", block=words))["type"] == "ack"
    for _ in range(2):
        await other.send(type="start", n=7, clock=other.who.clock, block=words)
        refusal = await other.until("ack", "error")
        # Without its number: the page sends it again.
        assert (refusal["code"], refusal.get("n")) == ("too_soon", None)
    assert (await far.tell("start", block=words))["type"] == "ack"


async def test_a_token_opens_once_and_soon(participant: Participant) -> None:
    token = await in_thread(participant.token)()
    assert (await (await participant.open(token=token)).receive())["type"] == "ready"
    assert await (await participant.open(token=token)).close_code() == 4401
    signer = signing.TimestampSigner(salt="somebody's else")
    forged = keys.base64.urlsafe_b64encode(signer.sign("a.b").encode()).decode().rstrip("=")
    assert await (await participant.open(token=forged)).close_code() == 4401


async def test_a_token_is_too_old_after_two_minutes(
    participant: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keys.TOKEN_SECONDS <= 120
    monkeypatch.setattr(keys, "TOKEN_SECONDS", 0)
    assert await (await participant.open()).close_code() == 4401


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://localhost:1"])
async def test_pages_of_other_sites_are_refused(
    participant: Participant, origin: str | None
) -> None:
    with pytest.raises(ConnectionRefusedError):
        await participant.open(origin=origin)


@pytest.mark.parametrize(
    "frame",
    [b"1", b"1234567", b"12345678", b"\x7f\xf8" + bytes(6) + b"x", b"\x7f\xf0" + bytes(6) + b"x"],
    ids=["one byte", "seven bytes", "no picture", "not a number", "infinite"],
)
async def test_what_is_no_frame_gets_an_error_and_then_the_door(
    participant: Participant, frame: bytes
) -> None:
    socket = await ready(participant)
    for n in range(1, 6):
        await socket.socket.send_to(bytes_data=frame)
        error = await socket.receive()
        assert (error["type"], error["frame"]) == ("error", n)
    assert await socket.close_code() == 4400
    assert await in_thread(Recording.objects.count)() == 0


@pytest.mark.parametrize("clock", [-1e12, 0.0, 1e12, 9e12])
async def test_times_that_cannot_be_are_clamped(
    participant: Participant, picture: bytes, clock: float
) -> None:
    words, _mood = await blocks_of(participant)
    socket = await ready(participant)
    await socket.check(picture)
    await socket.frame(picture, clock)
    await socket.frame(picture, clock - 5)
    await socket.tell("start", block=words, clock=clock)
    await socket.tell("end", block=words, clock=-clock)
    await socket.leave()

    def stored() -> None:
        row = participant.row
        visit = row.visits.get()
        recording = row.recording
        assert recording is not None
        length = recording.seconds * 1000
        assert 0 <= visit.start_ms <= (visit.end_ms or 0) <= length
        times = [one.time_ms for some, _gaps in storing.read(recording) for one in some]
        assert times == sorted(times)
        assert all(0 <= time <= length for time in times)

    await in_thread(stored)()


@pytest.mark.parametrize("clock", [None, "soon", True, [], {}, math.nan, math.inf, 1e300, -1e300])
async def test_a_clock_that_shows_no_time_is_refused(
    participant: Participant, picture: bytes, clock: Any
) -> None:
    words, _mood = await blocks_of(participant)
    socket = await ready(participant)
    await socket.frame(picture)
    assert (await socket.tell("start", block=words, clock=clock))["code"] == "bad_message"
    assert await in_thread(lambda: participant.row.visits.count())() == 0
    await socket.leave()


async def test_a_clock_that_never_answers_comes_to_nothing(
    participant: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "PATIENCE_SECONDS", 0.01)
    socket = await participant.open()
    for _ in range(clocks.EXCHANGES):
        assert (await socket.receive(answers=False))["type"] == "ping"
    with pytest.raises(Closed, match="1011"):
        await socket.receive(answers=False)


async def test_blocks_that_are_not_ones_own_or_not_yet_are_refused(
    ada: User, participant: Participant, picture: bytes
) -> None:
    elsewhere = await in_thread(studies.open_study)(ada, "Another")
    theirs = (await in_thread(studies.block)(elsewhere)).pk
    words, mood = await blocks_of(participant)
    socket = await ready(participant)
    await socket.check(picture)
    for block in (theirs, mood, 0, -1, 10**30):
        assert (await socket.tell("start", block=block))["code"] == "wrong_block"
    assert await socket.close_code() == 4400
    socket = await ready(participant)
    for block in (None, "1", [words], {"a": 1}):
        assert (await socket.tell("start", block=block))["code"] == "wrong_block"
    assert (await socket.tell("start", block=words))["type"] == "ack"
    for block in (theirs, mood):
        assert (await socket.tell("end", block=block))["code"] == "wrong_block"
    assert await in_thread(Marker.objects.count)() == 1
    await socket.leave()


@pytest.mark.parametrize("given", [None, 0, 6, 2.5, True, "3", [3], 10**400])
async def test_a_scale_has_its_numbers_alone(participant: Participant, given: Any) -> None:
    pk = (await in_thread(lambda: participant.row)()).pk
    mood = (await blocks_of(participant))[1]
    await in_thread(Participation.objects.filter(pk=pk).update)(place=1)
    with pytest.raises(reports.WrongAnswer):
        await in_thread(reports.answer)(pk, mood, given)


async def test_messages_of_no_meaning_lead_to_the_door(participant: Participant) -> None:
    socket = await ready(participant)
    for text in ("hello", "[]", "{}", "[" * 12_000, '{"type": ["x"]}'):
        await socket.socket.send_to(text_data=text)
        assert (await socket.receive())["code"] == "bad_message"
    assert await socket.close_code() == 4400


async def test_who_takes_part_while_the_owner_is_disabled_is_told_that_all_is_kept(
    participant: Participant, picture: bytes, ada: User
) -> None:
    socket = await ready(participant)
    await socket.frame(picture)
    await in_thread(User.objects.filter(pk=ada.pk).update)(is_active=False)
    assert await socket.close_code() == 4423
    await socket.leave()
    assert await in_thread(Participation.objects.count)() == 1
    assert await (await participant.open()).close_code() == 4423


async def test_nor_are_they_told_so_where_the_owner_closes_the_account(
    participant: Participant, picture: bytes, ada: User
) -> None:
    socket = await ready(participant)
    await socket.frame(picture)
    closed = {"is_active": False, "deletion_requested_at": timezone.now()}
    await in_thread(User.objects.filter(pk=ada.pk).update)(**closed)
    assert await socket.close_code() == 4404
    await socket.leave()


async def test_who_withdraws_is_cut_off_and_nothing_comes_back(
    participant: Participant, picture: bytes
) -> None:
    socket = await ready(participant)
    await socket.frame(picture)
    row = await in_thread(lambda: participant.row)()
    await in_thread(row.delete)()
    assert await socket.close_code() == 4404
    await socket.leave()
    left = [model.objects.count for model in (Participation, Recording, SeriesChunk, Marker)]
    assert [await in_thread(count)() for count in left] == [0, 0, 0, 0]
    assert await (await participant.open(token="x")).close_code() == 4401
