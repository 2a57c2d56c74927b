"""Two frames of a participant that are on their way at the same time."""

from __future__ import annotations

import pytest

from tests.support.participants import Participant, packed, ready

pytestmark = pytest.mark.django_db(transaction=True)


async def test_both_are_looked_at(participant: Participant, picture: bytes) -> None:
    """The live page wants the newest alone; a series wants all of them."""
    socket = await ready(participant)
    for _ in range(5):
        for _frame in range(2):
            socket.n_frames += 1
            await socket.socket.send_to(bytes_data=packed(participant.clock, picture))
        answered = [(await socket.receive())["frame"] for _ in range(2)]
        assert answered == [socket.n_frames - 1, socket.n_frames]
