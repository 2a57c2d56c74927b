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
    await client.delete(*(f"visage:line:{name}:{part}" for part in ("places", "line", "alive")))
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
