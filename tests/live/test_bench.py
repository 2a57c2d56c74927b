"""The measurements run, with small numbers, against a real server."""

from __future__ import annotations

import json
from pathlib import Path

from django.conf import settings

from benchmarks.live import main


def test_every_figure_is_measured(tmp_path: Path) -> None:
    main(
        [
            "--seconds=2",
            "--clients=3",
            "--flood-frames=100",
            "--long-frames=1200",
            "--openings=20",
            f"--json={tmp_path / 'figures.json'}",
            f"--manifest={settings.MODEL_MANIFEST}",
            "--original-python=/bin/false",
        ]
    )
    content = json.loads((tmp_path / "figures.json").read_text())
    assert content["machine"]["cores"] > 0
    steady, one, original, three, flood, churn, endurance = content["figures"]
    assert steady["is_met"]
    assert one["values"]["frames_per_second"] > 5
    assert original["measured"] == "not measured: it failed"
    assert three["values"]["answered"] > 0.5
    assert flood["values"]["growth_megabytes"] < 50
    assert max(churn["values"]["threads"], churn["values"]["files"]) <= 0
    assert abs(endurance["values"]["growth"]) < 0.2
