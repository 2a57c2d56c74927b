"""What a run has written about itself, so that it can be resumed with the same settings."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

STATE = "state.json"
SETTINGS = "settings.json"


def check_settings(settings: Any, directory: Path) -> None:
    """Refuse other settings than those of the run so far; cycles that have not begun may change."""
    now = json.loads(json.dumps(asdict(settings)))
    file = directory / SETTINGS
    if file.exists():
        before = json.loads(file.read_text())
        begun = _begun(before["cycles"], len(read_history(directory)))
        if {**before, "cycles": begun} != {**now, "cycles": now["cycles"][: len(begun)]}:
            raise ValueError(
                f"{directory} holds a run with other settings; "
                "give the same ones to resume it, or another directory"
            )
    file.write_text(json.dumps(now, indent=1))


def _begun(cycles: list[dict[str, Any]], epochs_done: int) -> list[dict[str, Any]]:
    begun = []
    for cycle in cycles:
        if epochs_done > 0:
            begun.append(cycle)
        epochs_done -= sum(stage["epochs"] for stage in cycle["stages"])
    return begun


def read_history(directory: Path) -> list[dict[str, float]]:
    """What `fit` has written about each finished epoch."""
    file = directory / STATE
    history: list[dict[str, float]] = (
        json.loads(file.read_text())["history"] if file.exists() else []
    )
    return history
