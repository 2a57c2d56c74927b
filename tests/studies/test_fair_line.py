"""Studies that want places at the same time share them; with Redis, and in one process alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from operations import open_sockets, waiting_line
from operations.waiting_line import Turn
from tests.support.site import Site

LIMIT = 4


@pytest.fixture(params=["redis", "one process"])
async def what(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """The name of a line of its own."""
    name = f"fair-{request.param}"
    if request.param == "one process":
        monkeypatch.setattr(open_sockets, "is_away", lambda: True)
        yield name
        return
    site: Site = request.getfixturevalue("site")
    client = redis.asyncio.Redis(unix_socket_path=str(site.data_dir / "redis.sock"))
    monkeypatch.setattr(open_sockets, "client", lambda: client)
    monkeypatch.setattr(open_sockets, "is_away", lambda: False)
    await client.delete(*(f"visage:line:{name}:{part}" for part in waiting_line._PARTS))
    yield name
    assert name not in waiting_line._here or not waiting_line._here[name].places
    await client.aclose()


async def test_a_study_gets_no_more_than_its_share_while_another_waits(what: str) -> None:
    large = [Turn(what, f"large-{number}", LIMIT, group="large") for number in range(8)]
    small = [Turn(what, f"small-{number}", LIMIT, group="small") for number in range(3)]
    # Alone it may take all there is, and nobody is sent away later.
    assert [await turn.ask() for turn in large] == [0, 0, 0, 0, 1, 2, 3, 4]
    # Two of the small one's come before those of the large one, who were there first.
    assert [await turn.ask() for turn in small] == [1, 2, 7]
    assert [await turn.ask() for turn in large] == [0, 0, 0, 0, 3, 4, 5, 6]
    for turn in large[:2]:
        await turn.leave()
    assert [await turn.ask() for turn in large[4:6]] == [1, 2]
    assert [await turn.ask() for turn in small] == [0, 0, 5]
    # Both have their share: now it goes by who came first, until one is below again.
    await small[0].leave()
    assert await large[4].ask() == 1
    assert await small[2].ask() == 0
    # Who has nobody left shares no more.
    for turn in small:
        await turn.leave()
    assert [await turn.ask() for turn in large[4:6]] == [0, 0]


async def test_with_more_studies_than_places_each_has_one(what: str) -> None:
    turns = [Turn(what, "somebody", LIMIT, group=f"study-{number}") for number in range(6)]
    assert [await turn.ask() for turn in turns] == [0, 0, 0, 0, 1, 2]
    await turns[0].leave()
    assert await Turn(what, "another", LIMIT, group="study-1").ask() == 2
    assert [await turn.ask() for turn in turns[4:]] == [0, 1]


async def test_a_place_that_is_not_used_goes_to_who_waits(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle, busy = Turn(what, "idle", 2), Turn(what, "busy", 2)
    assert [await idle.ask(), await busy.ask()] == [0, 0]
    # Nobody waits: it may be as idle as it likes.
    monkeypatch.setattr(waiting_line, "CREDIT_SECONDS", 0.0)
    assert await idle.keep(0)
    waits, later = Turn(what, "waits", 2), Turn(what, "later", 2)
    assert [await waits.ask(), await later.ask()] == [1, 2]
    monkeypatch.setattr(waiting_line, "CREDIT_SECONDS", 60.0)
    assert await busy.keep(60)
    # Opening another socket is no use of it.
    assert await idle.ask() == 2
    assert [await waits.ask(), await later.ask()] == [0, 1]
    assert await idle.ask() == 2
    assert await busy.keep(0)
    assert await waits.keep(0)


async def test_one_idle_place_is_enough_for_one_who_waits(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_line, "CREDIT_SECONDS", 0.0)
    idle = [Turn(what, f"idle-{number}", 3) for number in range(3)]
    for turn in idle:
        assert await turn.ask() == 0
    waits = Turn(what, "waits", 3)
    assert await waits.ask() == 1
    assert [await turn.keep(0) for turn in idle] == [False, True, True]
    assert await waits.ask() == 0


async def test_an_address_leaves_places_to_others(what: str) -> None:
    many = [
        Turn(what, f"many-{number}", LIMIT, address="192.0.2.1", of_address=3)
        for number in range(6)
    ]
    assert [await turn.ask() for turn in many] == [0, 0, 0, 1, 1, 2]
    other = Turn(what, "other", LIMIT, address="192.0.2.2", of_address=3)
    assert await other.ask() == 0
    assert [await turn.ask() for turn in many] == [0, 0, 0, 1, 2, 3]
    # Those who cannot come in take nobody's place away.
    assert await many[0].keep(0)
    await many[0].leave()
    assert [await turn.ask() for turn in many[3:]] == [0, 1, 2]
    invited = Turn(what, "invited", LIMIT, of_address=3)
    assert await invited.ask() == 1
    await other.leave()
    assert await invited.ask() == 0
