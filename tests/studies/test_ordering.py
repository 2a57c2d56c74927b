"""The order in which participants see the blocks."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest

from studies.models import Block, Study
from studies.taking_part import ordering


def blocks(*may_move: bool) -> list[Block]:
    return [Block(pk=10 + n, may_move=moves) for n, moves in enumerate(may_move)]


@pytest.mark.parametrize("n", range(1, 10))
def test_a_balanced_square_has_each_thing_in_each_place_and_after_each_other(n: int) -> None:
    rows = ordering.balanced_rows(n)
    per_place = len(rows) // n
    for place in range(n):
        assert Counter(row[place] for row in rows) == dict.fromkeys(range(n), per_place)
    followers = Counter(pair for row in rows for pair in pairwise(row))
    if n > 1:
        assert len(followers) == n * (n - 1)
        assert len(set(followers.values())) == 1


def test_as_listed() -> None:
    study = Study(order=Study.Order.FIXED)
    assert ordering.sequence(study, blocks(True, True, True), []) == [10, 11, 12]


def test_random_moves_only_what_may_move() -> None:
    study = Study(order=Study.Order.RANDOM)
    some = blocks(False, True, True, True, False)
    found = {tuple(ordering.sequence(study, some, [], random.Random(seed))) for seed in range(200)}
    assert len(found) == 6
    assert {(order[0], order[-1]) for order in found} == {(10, 14)}
    assert {tuple(sorted(order)) for order in found} == {(10, 11, 12, 13, 14)}


def test_a_latin_square_gives_each_order_equally_often() -> None:
    study = Study(order=Study.Order.LATIN_SQUARE)
    some = blocks(False, True, True, True, True)
    given: list[list[int]] = []
    for _ in range(12):
        given.append(ordering.sequence(study, some, given))
    assert set(Counter(map(tuple, given)).values()) == {3}
    assert all(order[0] == 10 for order in given)
    # Who withdraws leaves a row that the next one gets.
    gone = given.pop(5)
    assert ordering.sequence(study, some, given) == gone


def test_no_block_may_move_or_there_is_none() -> None:
    study = Study(order=Study.Order.LATIN_SQUARE)
    assert ordering.sequence(study, blocks(False, False), []) == [10, 11]
    assert ordering.sequence(study, [], []) == []
