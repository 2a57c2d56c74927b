"""The figures of the pages can be measured again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.site import ROOT

pytestmark = pytest.mark.site


def test_each_page_has_its_figures(tmp_path: Path) -> None:
    output = tmp_path / "pages.json"
    arguments = ["-m", "benchmarks.pages", "--photos=30", "--repeats=1", "--json", str(output)]
    # What it says of the first paint is no matter of a test.
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=False)
    queries, desktop, phone, weight, shifted = json.loads(output.read_text())["figures"]
    assert queries["is_met"]
    assert len(desktop["values"]["milliseconds"]) == len(phone["values"]["milliseconds"]) == 1
    assert len(weight["values"]) == len(shifted["values"]) == 11
    assert weight["is_met"]
    assert min(weight["values"].values()) > 10_000
    assert shifted["is_met"]
