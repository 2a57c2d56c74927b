"""The live socket of the running site: a real Daphne and the example client."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts.models import User
from operations import open_sockets
from tests.support.page_client import PageClient
from tests.support.pictures import encode, face_jpeg, no_face_jpeg
from tests.support.site import Site
from tests.support.sockets import Viewer, close_code, open_live


async def test_a_face_is_labelled_and_keeps_its_number(viewer: Viewer, frames: list[bytes]) -> None:
    async with viewer.open() as live:
        ready = await live.receive()
        assert ready["type"] == "ready"
        assert ready["model_version"]
        for index, frame in enumerate(frames, start=1):
            answer = await live.label(frame)
            assert (answer["type"], answer["frame"]) == ("labels", index)
            assert (answer["width"], answer["height"]) == (640, 480)
            (face,) = answer["faces"]
            assert face["number"] == 1
            assert face["label"] == "happy"
            assert sum(face["probabilities"].values()) == pytest.approx(1, abs=0.001)
            assert face["confidence"] == face["probabilities"]["happy"]
            assert face["uncertain"] is False
        assert answer["dropped"] == 0
        assert (await live.label(no_face_jpeg()))["faces"] == []
    assert viewer.person.uploads() == []


async def test_nobody_gets_in_unsigned(site: Site) -> None:
    async with PageClient(site.url, "") as live:
        assert await close_code(live) == 4401
    async with PageClient(site.url, "sessionid=abcdefghijklmnopqrstuvwxyz012345") as live:
        assert await close_code(live) == 4401


@pytest.mark.parametrize("origin", ["null", "http://evil.example", "http://127.0.0.1:1"])
async def test_pages_of_other_sites_are_refused(viewer: Viewer, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with viewer.open(origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def test_what_is_no_frame_gets_an_error_and_then_the_door(viewer: Viewer) -> None:
    async with viewer.open() as live:
        assert (await live.label(b""))["code"] == "empty"
        assert (await live.label(b"no picture"))["code"] == "format_not_accepted"
        assert (await live.label(encode_png()))["code"] == "format_not_accepted"
        assert (await live.label(face_jpeg()[:3000]))["code"] == "damaged"
        answer = await live.label(face_jpeg())  # Once all is well again, counting begins anew.
        assert answer["type"] == "labels"
        for _ in range(3):
            assert (await live.label(face_jpeg()[:3000]))["type"] == "error"
        await live.connection.send("hello")
        assert (await live.receive())["code"] == "bad_message"
        await live.send(b"no picture")
        assert await close_code(live) == 4400


def encode_png() -> bytes:
    from tests.support.pictures import astronaut

    return encode(astronaut(), "PNG")


async def test_large_messages_are_refused_and_larger_ones_cut_off(viewer: Viewer) -> None:
    async with viewer.open() as live:
        await live.receive()
        assert (await live.label(b"\xff" * (600 * 1024)))["code"] == "too_large"
        assert (await live.label(face_jpeg()))["faces"]
        await live.connection.send(b"\xff" * (2 * 1024 * 1024))
        assert await close_code(live) == 1009


async def test_two_sockets_a_person_and_another_once_one_is_closed(
    viewer: Viewer, frames: list[bytes]
) -> None:
    async with viewer.open() as first, viewer.open() as second:
        assert (await first.receive())["type"] == "ready"
        assert (await second.receive())["type"] == "ready"
        async with viewer.open() as third:
            assert await close_code(third) == 4429
        assert (await first.label(frames[0]))["faces"]
        assert (await second.label(frames[0]))["faces"]
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        async with viewer.open() as again:
            try:
                assert (await again.receive())["type"] == "ready"
                return
            except ConnectionClosed:
                await asyncio.sleep(0.3)
    raise AssertionError("a closed socket still counts")


async def test_the_newest_frame_wins_and_one_waits(viewer: Viewer, frames: list[bytes]) -> None:
    n_frames = 0
    answers: list[dict[str, Any]] = []
    async with viewer.open() as live:
        await live.receive()
        await live.label(frames[0])
        # On a loaded machine sixty may leave so slowly that there is time for each.
        while n_frames < 600 and not (answers and answers[-1]["dropped"]):
            for frame in frames[:60]:
                await live.send(frame)
            n_frames += 60
            while not answers or answers[-1]["frame"] < n_frames + 1:
                answers.append(await live.receive())
    numbers = [answer["frame"] for answer in answers]
    assert numbers == sorted(numbers)
    assert len(answers) + answers[-1]["dropped"] == n_frames
    assert answers[-1]["dropped"] > 0
    assert max(answer["milliseconds"] for answer in answers) < 1000


async def test_one_who_floods_harms_nobody(site: Site, viewer: Viewer, frames: list[bytes]) -> None:
    other = Viewer(site, site.sign_up("calm@example.org").accept_camera())
    async with viewer.open() as flooding, other.open() as calm:
        await calm.receive()

        async def flood() -> None:
            for index in range(200):
                await flooding.send(frames[index % len(frames)])
                await asyncio.sleep(0.01)

        task = asyncio.create_task(flood())
        await calm.label(frames[0])
        trips: list[float] = []
        # There and back: a face that jumps from the last frame to the first is lost for a moment.
        clip = [*frames, *reversed(frames)]
        while not task.done():
            began = time.perf_counter()
            assert (await calm.label(clip[len(trips) % len(clip)]))["faces"]
            trips.append(time.perf_counter() - began)
        await task
    assert sorted(trips)[len(trips) // 2] < 0.5


async def test_signing_out_closes_the_socket(site: Site, frames: list[bytes]) -> None:
    leaving = Viewer(site, site.sign_up("leaving@example.org").accept_camera())
    async with leaving.open() as live:
        assert (await live.receive())["type"] == "ready"
        await asyncio.to_thread(leaving.person.post, "/accounts/logout/")
        began = time.monotonic()
        assert await close_code(live) == 4401
        assert time.monotonic() - began < 8


async def test_disabling_somebody_closes_their_sockets(site: Site) -> None:
    disabled = Viewer(site, site.sign_up("disabled@example.org").accept_camera())
    async with disabled.open() as live:
        assert (await live.receive())["type"] == "ready"
        await asyncio.to_thread(
            site.manage,
            "shell",
            "--command",
            "from accounts.models import User\n"
            "User.objects.filter(email='disabled@example.org').update(is_active=False)",
        )
        assert await close_code(live) == 4401


async def test_without_consent_nothing_is_looked_at(site: Site, frames: list[bytes]) -> None:
    shy = Viewer(site, site.sign_up("shy@example.org"))
    async with shy.open() as live:
        assert await close_code(live) == 4403
    await asyncio.to_thread(shy.person.accept_camera)
    async with shy.open() as live:
        assert (await live.receive())["type"] == "ready"
        assert (await live.label(frames[0]))["faces"]
        await asyncio.to_thread(
            site.manage,
            "shell",
            "--command",
            "from accounts import consent\n"
            "from accounts.models import User\n"
            "consent.withdraw(User.objects.get(email='shy@example.org'), 'camera')",
        )
        assert await close_code(live) == 4403


async def test_a_marker_names_the_moment_it_came_in(viewer: Viewer, frames: list[bytes]) -> None:
    async with viewer.open() as live:
        await live.receive()
        await live.command(type="marker", name="too early")
        assert (await live.receive())["code"] == "not_recording"
        await live.command(type="record")
        begun = await live.receive()
        assert (await live.label(frames[0]))["type"] == "labels"
        await live.command(type="marker", name="")
        assert (await live.receive())["code"] == "invalid_marker"
        await live.command(type="marker", name="stimulus 3", value=2.5)
        marker = await live.receive()
        assert (marker["type"], marker["name"], marker["value"]) == ("marker", "stimulus 3", 2.5)
        await live.command(type="stop")
        assert (await live.receive())["type"] == "recorded"
    address = f"/live/sessions/{begun['session']}/series.json"
    series = viewer.person.http.get(viewer.site.url + address).json()
    assert [m["time_ms"] for m in series["markers"]] == [marker["time_ms"]]
    (sample,) = series["samples"]
    assert sample["label"] == "happy"
    assert sample["sharpness"] > 0
    assert sample["pixels"] > 48


async def test_a_recording_keeps_labels_and_survives_a_cut(
    viewer: Viewer, frames: list[bytes]
) -> None:
    async with viewer.open() as live:
        await live.receive()
        await live.command(type="record")
        begun = await live.receive()
        assert begun["type"] == "recording"
        for frame in frames[:20]:
            await live.label(frame)
        live.connection.transport.abort()  # As when the network goes.
    async with viewer.open() as live:
        await live.receive()
        await live.command(type="record", session=begun["session"])
        assert (await live.receive())["session"] == begun["session"]
        for frame in frames[20:30]:
            await live.label(frame)
        await live.command(type="stop")
        ended = await live.receive()
    assert (ended["type"], ended["url"]) == ("recorded", begun["url"])
    page = await asyncio.to_thread(viewer.person.get, begun["url"])
    assert page.status_code == 200
    assert "timeline-bar emotion-happy" in page.text
    lines = (await asyncio.to_thread(viewer.person.get, begun["url"] + "export.csv")).text.split()
    assert len(lines) >= 2
    assert viewer.person.uploads() == []


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "7", "{}", "[" * 100_000, '{"type": "dance"}',
        '{"type": "record", "session": "1"}', '{"type": "record", "session": 1}',
    ],
)  # fmt: skip
async def test_odd_commands_are_errors(viewer: Viewer, text: str) -> None:
    async with viewer.open() as live:
        await live.receive()
        await live.connection.send(text)
        answer = await live.receive()
        assert (answer["type"], answer["code"], answer["frame"]) == ("error", "bad_message", None)


@pytest.mark.django_db(transaction=True)
async def test_nothing_is_left_of_a_closed_socket(alice: User, frames: list[bytes]) -> None:
    communicator = await open_live(alice)
    assert (await communicator.receive_json_from(timeout=10))["type"] == "ready"
    assert sum(open_sockets._here.values()) == 2, "its person's and its address's"
    await communicator.send_to(bytes_data=frames[0])
    await communicator.disconnect()
    assert not open_sockets._here
    await asyncio.sleep(0.5)  # The frame that was being looked at meets nobody.
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert tasks == []


@pytest.mark.site
async def test_whoever_waits_for_the_database_keeps_no_other_socket_waiting(
    tmp_path: Path, frames: list[bytes]
) -> None:
    """Here until somebody else has written; with a single thread nobody came further."""
    file = tmp_path / "site" / "db.sqlite3"
    with Site(file.parent, DATABASE_URL=f"sqlite:///{file}") as site:
        recording, watching = (
            Viewer(site, site.sign_up(f"{name}@example.org").accept_camera())
            for name in ("records", "watches")
        )
        async with recording.open() as first:
            await first.receive()
            with closing(sqlite3.connect(file, isolation_level=None)) as writer:
                writer.execute("BEGIN IMMEDIATE")
                await first.command(type="record")
                async with watching.open() as second:
                    assert (await second.receive())["type"] == "ready"
                    assert (await second.label(frames[0]))["faces"]
                writer.execute("ROLLBACK")
            assert (await first.receive())["type"] == "recording"
