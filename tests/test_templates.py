"""What every template keeps to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.site import ROOT

TEMPLATES = sorted(p for p in ROOT.glob("**/templates/**/*.html") if ".venv" not in p.parts)
_FORM = re.compile(r"<form\b[^>]*\bmethod=[\"']?post\b.*?</form>", re.DOTALL | re.IGNORECASE)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_form_that_changes_something_carries_the_token(path: Path) -> None:
    without = [form[:100] for form in _FORM.findall(path.read_text()) if "csrf_token" not in form]
    assert without == []


def test_there_are_such_forms() -> None:
    assert sum(len(_FORM.findall(path.read_text())) for path in TEMPLATES) > 20
