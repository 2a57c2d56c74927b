"""The measurements run, with small numbers, against a real server."""

from __future__ import annotations

import json
from pathlib import Path

from django.core.management import call_command


def test_every_figure_is_measured(tmp_path: Path) -> None:
    call_command(
        "bench_live",
        "--seconds=2",
        "--clients=3",
        "--flood-frames=100",
        "--long-frames=1200",
        "--openings=20",
        f"--json={tmp_path / 'figures.json'}",
        "--original-python=/bin/false",
    )
    content = json.loads((tmp_path / "figures.json").read_text())
    assert "cores" in content["machine"]
    steady, one, original, three, flood, churn, endurance = content["figures"]
    assert steady["is_met"]
    assert one["values"]["frames_per_second"] > 5
    assert original["is_met"] is None  # Said, not passed over.
    assert three["values"]["answered"] > 0.5
    assert flood["values"]["growth_megabytes"] < 50
    assert (churn["values"]["threads"], churn["values"]["files"]) <= (0, 0)
    assert abs(endurance["values"]["growth"]) < 0.2
