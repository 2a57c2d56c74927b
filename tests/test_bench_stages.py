"""The capacity page's figures can be taken anew."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.site import ROOT


def test_each_stage_has_a_figure(tmp_path: Path) -> None:
    output = tmp_path / "stages.json"
    arguments = ["-m", "benchmarks.stages", "--repeats", "1", "--json", str(output)]
    result = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    figures = json.loads(output.read_text())["figures"]
    assert len(figures) == 2 * 7 + 1, "two photos of seven stages each, and a live frame"
    assert all(row["core ms"] > 0 and row["a second"] > 0 for row in figures.values())
    assert "1,000 live viewers" in result.stdout
