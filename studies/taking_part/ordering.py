"""In which order one participant sees the blocks."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence

from studies.models import Block, Study


def balanced_rows(n: int) -> list[list[int]]:
    """A Latin square in which each thing follows each other equally often (Williams' design).

    Args:
        n: things, numbered from 0.

    Returns:
        `n` rows for an even number of things, twice as many for an odd one.
    """
    first = [0]
    low, high = 1, n - 1
    while len(first) < n:
        first.append(low)
        low += 1
        if len(first) < n:
            first.append(high)
            high -= 1
    rows = [[(thing + row) % n for thing in first] for row in range(n)]
    return rows if n % 2 == 0 else rows + [row[::-1] for row in rows]


def possible(blocks: Sequence[Block]) -> list[list[int]]:
    """The orders of a Latin square over those blocks that may move; the others stay in place.

    Args:
        blocks: of one condition, as listed.

    Returns:
        Their primary keys, an order a row.
    """
    places = [place for place, block in enumerate(blocks) if block.may_move]
    orders = []
    for row in balanced_rows(len(places)) if places else [[]]:
        order = [block.pk for block in blocks]
        for place, other in zip(places, row, strict=True):
            order[place] = blocks[places[other]].pk
        orders.append(order)
    return orders


def sequence(
    study: Study,
    blocks: Sequence[Block],
    given: Iterable[Sequence[int]],
    dice: random.Random | None = None,
) -> list[int]:
    """The blocks' primary keys in the order for the next participant.

    Args:
        study: says how.
        blocks: of the participant's condition, as listed.
        given: the orders of those who are in that condition already.
        dice: for the random order; by default one that nobody can foresee.
    """
    if study.order == Study.Order.LATIN_SQUARE:
        # The row that fewest have: it stays balanced, too, where somebody withdraws.
        counts = Counter(tuple(order) for order in given)
        return min(possible(blocks), key=lambda order: counts[tuple(order)])
    order = [block.pk for block in blocks]
    if study.order == Study.Order.RANDOM:
        places = [place for place, block in enumerate(blocks) if block.may_move]
        shuffled = [order[place] for place in places]
        (dice or secrets.SystemRandom()).shuffle(shuffled)
        for place, pk in zip(places, shuffled, strict=True):
            order[place] = pk
    return order
