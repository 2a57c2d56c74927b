"""The participant's socket: what becomes of frames and reports, and of hostile ones."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from accounts.models import User
from operations import waiting_line
from recognition.models import Marker, Recording, SeriesChunk, Webhook, WebhookDelivery
from recognition.series import storing
from studies.models import Block, Study
from studies.taking_part import consumer, leaving, reports
from tests.support.participants import Participant, blocks_of, in_thread, ready
from tests.support.pictures import no_face_jpeg
from tests.support.studies import block, open_study

pytestmark = pytest.mark.django_db(transaction=True)


# A whole participation --------------------------------------------------------------------------


async def test_a_participation_from_the_check_to_the_end(
    participant: Participant, picture: bytes, ada: User
) -> None:
    hook = await in_thread(Webhook.objects.create)(owner=ada, url="https://ada.example/hook")
    words, mood = await blocks_of(participant)
    socket = await ready(participant)
    answer = await socket.check(picture)
    assert answer["type"] == "check"
    assert set(answer) == {"type", "frame", "faces", "height", "rate"}
    assert answer["faces"] == 1
    assert await state(participant) == "checked"

    assert (await socket.tell("start", block=words))["type"] == "ack"
    assert await state(participant) == "running"
    for _ in range(3):
        await asyncio.sleep(0.11)  # Samples are a tenth of a second apart.
        seen = await socket.frame(picture)
        assert set(seen) == {"type", "frame"}, "nothing of the analysis is told"
    assert (await socket.tell("event", block=words, name="hidden"))["type"] == "ack"
    assert (await socket.tell("end", block=words))["type"] == "ack"
    assert (await socket.tell("start", block=mood))["type"] == "ack"
    assert (await socket.tell("end", block=mood))["code"] == "wrong_answer"
    assert (await socket.tell("answer", block=mood, given=4))["type"] == "ack"
    await socket.send(type="end", block=mood, clock=participant.clock, n=99)
    assert (await socket.until("finished"))["type"] == "finished"
    assert await socket.close_code() == 4410

    def stored() -> None:
        row = participant.row
        assert (row.state, row.place) == ("finished", 2)
        assert row.finished_at is not None
        assert row.camera["face_share"] == 1.0
        assert row.camera["brightness"] == 0.5
        assert row.camera["face_height"] > 50
        recording = row.recording
        assert recording is not None
        assert recording.owner is None
        assert recording.samples == [], "nobody looks at stretches of it"
        samples = [one for some, _gaps in storing.read(recording) for one in some]
        assert len(samples) >= 4
        assert [one.time_ms for one in samples] == sorted(one.time_ms for one in samples)
        names = list(recording.markers.order_by("pk").values_list("name", flat=True))
        assert names == ["words", "words hidden", "words end", "mood", "mood end"]
        first, second = row.visits.all()
        assert first.end_ms is not None
        assert 0 < first.start_ms <= first.end_ms <= second.start_ms
        assert first.events == [[first.events[0][0], "hidden", None]]
        assert row.answers.get().number == 4
        (reading,) = row.clock_readings.all()
        assert reading.round_trip_ms >= 0
        # Their clock plus this is milliseconds of the recording.
        expected = recording.started_at.timestamp() * 0 + reading.offset_ms + participant.clock
        assert abs(expected - (recording.seconds * 1000)) < 60_000
        (delivery,) = WebhookDelivery.objects.filter(webhook=hook)
        assert delivery.event == "participation.finished"
        told = delivery.payload["participation"]
        assert (told["id"], told["number"]) == (str(row.pk), 1)

    await in_thread(stored)()


async def state(participant: Participant) -> str:
    row = await in_thread(lambda: participant.row)()
    return str(row.state)


async def test_capture_times_make_the_series_not_arrival(
    participant: Participant, picture: bytes
) -> None:
    """Frames that a network holds back, and gives out at once, keep their distances."""
    socket = await ready(participant)
    await socket.frame(picture)
    begun = participant.clock
    await asyncio.sleep(0.7)
    for n in range(1, 4):
        await socket.frame(picture, begun + 200 * n)
    await socket.leave()

    def times() -> list[int]:
        recording = participant.row.recording
        assert recording is not None
        return [one.time_ms for some, _gaps in storing.read(recording) for one in some]

    found = await in_thread(times)()
    assert len(found) == 4
    assert [b - a for a, b in pairwise(found[1:])] == [200, 200]


async def test_what_was_not_acknowledged_is_sent_again_and_counts_once(
    participant: Participant, picture: bytes
) -> None:
    words, mood = await blocks_of(participant)
    first = await ready(participant)
    await first.check(picture)
    clock = participant.clock
    for _ in range(2):
        assert (await first.tell("start", block=words, clock=clock))["type"] == "ack"
    await first.leave()
    second = await ready(participant)
    for message in (
        {"kind": "start", "clock": clock},
        {"kind": "event", "clock": clock + 50, "name": "pause"},
        {"kind": "event", "clock": clock + 50, "name": "pause"},
        {"kind": "end", "clock": clock + 90},
        {"kind": "end", "clock": clock + 90},
        {"kind": "start", "clock": clock},
    ):
        assert (await second.tell(block=words, **message))["type"] == "ack"
    for given in (2, 2, 3):
        await second.tell("start", block=mood)
        assert (await second.tell("answer", block=mood, given=given))["type"] == "ack"

    def stored() -> None:
        row = participant.row
        assert row.place == 1
        visit = row.visits.get(block_id=words)
        assert [event[1] for event in visit.events] == ["pause"]
        names = Marker.objects.filter(recording=row.recording).values_list("name", flat=True)
        assert sorted(names) == ["mood", "words", "words end", "words pause"]
        assert row.answers.get().number == 3
        assert Recording.objects.count() == 1
        assert row.clock_readings.count() == 2

    await in_thread(stored)()
    await second.leave()


async def test_a_block_that_is_shown_anew_begins_anew(
    participant: Participant, picture: bytes
) -> None:
    words, _mood = await blocks_of(participant)
    socket = await ready(participant)
    await socket.check(picture)
    await socket.tell("start", block=words, clock=participant.clock - 0)
    before = await in_thread(lambda: participant.row.visits.get().start_ms)()
    await asyncio.sleep(reports.SAME_MS / 1000 + 0.1)
    await socket.tell("start", block=words)

    def stored() -> None:
        visit = participant.row.visits.get()
        assert visit.start_ms > before
        assert visit.events == [[visit.start_ms, "restart", before]]
        assert Marker.objects.get(name="words").time_ms == visit.start_ms

    await in_thread(stored)()
    await socket.leave()


async def test_a_second_window_takes_over(participant: Participant, picture: bytes) -> None:
    first = await ready(participant)
    await first.frame(picture)
    second = await ready(participant)
    assert await first.close_code() == 4409
    assert (await second.frame(picture))["type"] == "seen"
    assert await in_thread(Recording.objects.count)() == 1
    assert await in_thread(SeriesChunk.objects.count)() == 1, "what the first saw is saved"
    await second.leave()


# The camera check -------------------------------------------------------------------------------


async def test_without_a_face_the_check_is_not_passed(participant: Participant) -> None:
    socket = await ready(participant)
    await socket.tell("check")
    for _ in range(12):
        answer = await socket.frame(no_face_jpeg())
    assert (answer["faces"], answer["height"]) == (0, 0.0)
    assert (await socket.tell("checked"))["code"] == "check_not_passed"
    assert await state(participant) == "consented"
    await socket.leave()


async def test_nothing_is_told_of_the_camera_while_a_block_is_shown(
    participant: Participant, picture: bytes
) -> None:
    words, _mood = await blocks_of(participant)
    socket = await ready(participant)
    await socket.check(picture)
    await socket.tell("start", block=words)
    assert (await socket.tell("check"))["code"] == "bad_message"
    assert (await socket.frame(picture))["type"] == "seen"
    await socket.leave()


async def test_a_window_in_another_web_process_takes_over(
    participant: Participant, picture: bytes
) -> None:
    first = await ready(participant)
    await first.frame(picture)
    # What the other process does is in the database alone.
    consumer._open.clear()
    second = await ready(participant)
    assert await first.close_code() == 4409
    assert (await second.frame(picture))["type"] == "seen"
    await second.leave()


# The line ---------------------------------------------------------------------------------------


async def test_who_comes_too_many_waits_and_comes_in_by_themselves(
    two_blocks: Study, participant: Participant, settings: Any
) -> None:
    settings.STUDY_PARTICIPANTS_AT_ONCE = 1
    others = [await in_thread(Participant(two_blocks).agree)() for _ in range(2)]
    first = await ready(participant)
    second = await others[0].open()
    assert await second.receive() == {"type": "line", "place": 1}
    third = await others[1].open()
    assert await third.receive() == {"type": "line", "place": 2}
    # A moment without network loses nobody's place.
    await first.leave()
    again = await ready(participant)
    await in_thread(leaving.leave)(await in_thread(lambda: participant.row)())
    assert await again.close_code() == 4410
    assert (await second.receive())["type"] == "ready"
    assert await third.receive() == {"type": "line", "place": 1}
    await second.leave()
    await third.leave()


async def test_who_sends_nothing_makes_room_for_who_waits(
    two_blocks: Study,
    participant: Participant,
    settings: Any,
    picture: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.STUDY_PARTICIPANTS_AT_ONCE = 1
    monkeypatch.setattr(waiting_line, "CREDIT_SECONDS", 0.0)
    other = await in_thread(Participant(two_blocks).agree)()
    first = await ready(participant)
    assert (await first.frame(picture))["type"] == "seen"
    second = await other.open()
    assert await second.receive() == {"type": "line", "place": 1}
    assert await first.close_code() == 4411
    # Another socket of the same participant begins at the end of the line.
    again = await participant.open()
    assert (await second.until("ready"))["type"] == "ready"
    assert await again.receive() == {"type": "line", "place": 1}
    await second.leave()
    await again.leave()


async def test_a_place_ends_with_the_last_block_that_is_watched(
    ada: User, settings: Any, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STUDY_PARTICIPANTS_AT_ONCE = 1
    study = await in_thread(open_study)(ada)
    await in_thread(block)(study, Block.Kind.BASELINE, "calm", seconds=1)
    await in_thread(block)(study, Block.Kind.SCALE, "mood", text="How was it?", steps=5)
    one, other = [await in_thread(Participant(study).agree)() for _ in range(2)]
    calm, mood = await blocks_of(one)
    first = await ready(one)
    await first.check(picture)
    second = await other.open()
    assert await second.receive() == {"type": "line", "place": 1}
    assert (await first.tell("start", block=calm))["type"] == "ack"
    await asyncio.sleep(1)
    assert (await first.tell("end", block=calm))["type"] == "ack"
    assert (await second.until("ready"))["type"] == "ready"
    # Frames are answered, and looked at no more: this one could not be.
    seen = await first.frame(b"no picture")
    assert seen == {"type": "seen", "frame": first.n_frames}
    await first.leave()
    # Without a place it needs none after a reload, either.
    again = await ready(one)
    await again.tell("start", block=mood)
    await again.tell("answer", block=mood, given=4)
    await again.send(type="end", block=mood, clock=one.clock, n=99)
    assert (await again.until("finished"))["type"] == "finished"
    await second.leave()


async def test_one_address_gets_no_more_places_than_it_may(
    two_blocks: Study, participant: Participant, settings: Any
) -> None:
    settings.STUDY_PARTICIPANTS_AT_ONCE = 9
    settings.STUDY_PARTICIPANTS_PER_ADDRESS = 1
    other = await in_thread(Participant(two_blocks).agree)()
    first = await ready(participant)
    second = await other.open()
    assert await second.receive() == {"type": "line", "place": 1}
    await in_thread(leaving.leave)(await in_thread(lambda: participant.row)())
    assert await first.close_code() == 4410
    assert (await second.receive())["type"] == "ready"
    await second.leave()


async def test_who_is_far_back_in_the_line_asks_less_often(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question costs as much as the line is long: all would ask for all each second."""
    settings.STUDY_PARTICIPANTS_AT_ONCE = 10
    waited: list[float] = []
    places = iter([400, 30, 10, 1, 0])

    class Line:
        async def ask(self) -> int:
            return next(places)

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    async def say(message: Any) -> None:
        pass

    monkeypatch.setattr(consumer.asyncio, "sleep", wait)
    socket = consumer.StudyConsumer()
    monkeypatch.setattr(socket, "turn", Line())
    monkeypatch.setattr(socket, "_send", say)
    await socket._wait_in_line()
    assert waited == [5, 3, 1, 1]
