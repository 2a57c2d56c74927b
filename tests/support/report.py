"""What every benchmark prints: the machine, a table, and the same as JSON where asked."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0]
    return {
        "processor": model,
        "cores": cores,
        "load_before": round(load, 1),
        "python": platform.python_version(),
    }


def show(
    figures: dict[str, dict[str, float]], about: dict[str, Any], *, json_path: Path | None
) -> None:
    """Print figures as a table and write them as JSON.

    Args:
        figures: name of a row to its columns; all rows have the same columns.
        about: what :func:`machine` said before they were taken.
        json_path: where the JSON goes; None for none.
    """
    columns = list(next(iter(figures.values())))
    width = max(map(len, figures))
    sys.stdout.write(f"{about['processor']}, {about['cores']} cores, load {about['load_before']}\n")
    sys.stdout.write(" " * width + "".join(f"{column:>16}" for column in columns) + "\n")
    for name, row in figures.items():
        values = "".join(f"{row[column]:16.2f}" for column in columns)
        sys.stdout.write(f"{name:<{width}}{values}\n")
    if json_path is not None:
        json_path.write_text(json.dumps({"machine": about, "figures": figures}, indent=2) + "\n")


@dataclass(frozen=True)
class Figure:
    """One promise and what was measured; `is_met` is None where it was not."""

    name: str
    wanted: str
    measured: str
    is_met: bool | None
    values: dict[str, Any]


def show_figures(figures: Iterable[Figure], *, json_path: Path | None) -> bool:
    """Print each figure as a line of a table as soon as it is measured.

    Returns:
        Whether none was missed.
    """
    about = machine()
    sys.stdout.write(
        f"{about['processor']}, {about['cores']} cores, load {about['load_before']}\n\n"
        "| figure | wanted | measured | |\n| --- | --- | --- | --- |\n"
    )
    done = []
    for figure in figures:
        mark = {True: "met", False: "missed", None: ""}[figure.is_met]
        sys.stdout.write(f"| {figure.name} | {figure.wanted} | {figure.measured} | {mark} |\n")
        sys.stdout.flush()
        done.append(figure)
        if json_path is not None:
            content = {"machine": about, "figures": [asdict(entry) for entry in done]}
            json_path.write_text(json.dumps(content, indent=2) + "\n")
    return all(figure.is_met is not False for figure in done)
