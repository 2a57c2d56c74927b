"""The list of mistakes fits the code as it is: each can be made, and its tests are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mutations.listed import Change, changes

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("change", list(changes()), ids=lambda change: change.what)
def test_a_listed_mistake_can_be_made_and_has_its_tests(change: Change) -> None:
    assert change.made_in(ROOT) != (ROOT / change.file).read_text()
    assert change.tests
    for test in change.tests:
        module, _, function = test.partition("::")
        path = ROOT / module
        assert path.exists(), test
        if function:
            assert re.search(rf"def {re.escape(function)}\b", path.read_text()), test
