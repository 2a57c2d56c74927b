"""How many rooms the code has, and how many of them know of each other.

A room is an app, or a package directly inside one; an arrow is one room that imports another.
Layers and their order are in pyproject.toml (`lint-imports`). With the figures here a new arrow is
a decision: where the bound is reached, another has to go first.
"""

from __future__ import annotations

import graphlib
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from grimp import ImportGraph, build_graph

from tests.support.site import ROOT

FOUR = ("emotion_site", "recognition", "accounts", "operations")
#: On top of the four, which do not know of it.
ON_TOP = "studies"
MAXIMUM_ROOMS, MAXIMUM_ARROWS = 32, 120
#: With what only types need; such an import is an arrow, too.
ALL, AT_RUN_TIME = False, True


@pytest.fixture
def graph(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ImportGraph:
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    return build_graph(*FOUR, ON_TOP, exclude_type_checking_imports=request.param, cache_dir=None)


def room_of(module: str) -> str:
    """The room that a module is in: ``recognition.api.views.person`` is in ``recognition.api``."""
    app, *inside = module.split(".")
    if inside and (ROOT / app / inside[0]).is_dir():
        return f"{app}.{inside[0]}"
    return app


def arrows(graph: ImportGraph) -> Iterator[tuple[str, str]]:
    """An arrow for each import from one room to another; generated migrations are in none."""
    for module in graph.modules:
        for other in graph.find_modules_directly_imported_by(module):
            pair = room_of(module), room_of(other)
            if pair[0] != pair[1] and "migrations" not in f"{module} {other}":
                yield pair


@pytest.mark.parametrize("graph", [ALL], indirect=True)
def test_few_rooms_know_of_each_other(graph: ImportGraph) -> None:
    counts = Counter(
        pair for pair in arrows(graph) if not any(room.split(".")[0] == ON_TOP for room in pair)
    )
    rooms = {room for pair in counts for room in pair}
    told = "\n".join(f"{n:4} {a} -> {b}" for (a, b), n in sorted(counts.items()))
    assert len(rooms) <= MAXIMUM_ROOMS, sorted(rooms)
    assert len(counts) <= MAXIMUM_ARROWS, f"{len(counts)} arrows:\n{told}"


@pytest.mark.parametrize("graph", [AT_RUN_TIME], indirect=True)
def test_no_module_needs_itself(graph: ImportGraph) -> None:
    """Neither at import nor later: an import inside a function only hides a circle."""
    needs = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
