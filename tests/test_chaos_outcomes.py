"""What is measured of a broken site is judged as it should be; it is broken elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.faults import Killed

GOOD = Killed(done=24, failed=0, lost=0, repeated=0, seconds=20.0, kills=3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"done": 0, "failed": 24},
        {"done": 20, "failed": 4},
        {"done": 23, "lost": 1},
        {"repeated": 1},
        {"seconds": 301.0},
    ],
    ids=str,
)
def test_kills_are_survived_only_where_the_work_is_done(wrong: dict[str, float]) -> None:
    assert GOOD.is_kept
    assert not replace(GOOD, **wrong).is_kept
