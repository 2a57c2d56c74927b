"""The promises of SECURITY.md, broken for real in a small size; `make chaos` has the long one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos.promises import PROMISES, SMALL

pytestmark = pytest.mark.site

#: Only what depends on the database is tried again on another one.
ON_EVERY_DATABASE = {"kills", "doubled", "writers"}
#: Tried by a test of their own.
ELSEWHERE = {"huge", "drips", "noise"}


# Each starts a site of its own, so any process may take it: as one piece they would be the longest.
@pytest.mark.parametrize(
    "promise",
    [
        pytest.param(name, marks=pytest.mark.xdist_group(f"promise-{name}"))
        for name in PROMISES
        if name not in ELSEWHERE
    ],
)
def test_it_is_kept(promise: str, tmp_path: Path) -> None:
    if "DATABASE_URL" in os.environ and promise not in ON_EVERY_DATABASE:
        pytest.skip("does not depend on the database")
    for figure in PROMISES[promise](tmp_path / "site", SMALL):
        if figure.is_met is None:
            pytest.skip(figure.measured)
        assert figure.is_met, f"{figure.name}: {figure.measured}; wanted {figure.wanted}"
