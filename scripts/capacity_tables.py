"""The tables of docs/CAPACITY.md, from what `make bench-stages` wrote."""

from __future__ import annotations

import math
from typing import Any

#: Sides of the photos as the file names them, and as people read them.
SIZES = {"1.6 MP": "1.6 megapixels", "12 MP": "12 megapixels"}
STAGES = (
    ("clean (check, re-encode)", "clean: check and re-encode", "web, in a process of its own"),
    ("accept (clean, store, row)", "accept: store, row", "web"),
    ("decode", "decode", "worker"),
    ("detect", "detect", "worker"),
    ("classify, one face", "classify, one face", "worker"),
    ("save", "save", "worker"),
    ("whole recognition", "**whole recognition**", "worker"),
)
WORKER, WEB = ("whole recognition", "save"), tuple(name for name, _, _ in STAGES[:2])
UTILISATION, PEAK = 0.7, 3
PHOTOS_A_DAY, SECONDS_A_DAY = 1_000_000, 86_400
VIEWERS, FRAMES_A_SECOND = 1_000, 5
CORES_A_PROCESS, CORES_A_HOST = 4, 8


def stages(content: dict[str, Any]) -> list[str]:
    """What each stage costs a core, and the machine as a sentence."""
    about = content["machine"]
    head = " | ".join(f"{size}: ms | a second" for size in SIZES.values())
    rows = [
        f"Measured on: {about['processor']}, {about['cores']} cores, at a load of "
        f"{about['load_before']}, Python {about['python']}.",
        "",
        f"| stage | where | {head} |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for name, shown, where in STAGES:
        cells = [
            cell for size in SIZES for cell in _cells(content["figures"][f"{size}: {name}"], shown)
        ]
        rows.append(f"| {shown} | {where} | {' | '.join(cells)} |")
    live = " | ".join(_cells(_live(content), "**"))
    return [*rows, f"| **live frame**, 640 × 480, 5 a second | web | {live} | | |"]


def photos(content: dict[str, Any]) -> list[str]:
    """Cores for a million photos a day."""
    rate = PHOTOS_A_DAY / SECONDS_A_DAY
    workers = [rate * _seconds(content, size, WORKER) / UTILISATION for size in SIZES]
    web = [rate * _seconds(content, size, WEB) / UTILISATION for size in SIZES]
    peaks = [f"{PEAK * a:.1f} + {PEAK * b:.1f} cores" for a, b in zip(workers, web, strict=True)]
    return [
        f"| | {' | '.join(SIZES.values())} |",
        "| --- | ---: | ---: |",
        _row("workers: 11.6 × (recognition + save) ÷ 0.7", [f"{n:.1f} cores" for n in workers]),
        _row("web: 11.6 × (clean + accept) ÷ 0.7", [f"{n:.1f} cores" for n in web]),
        _row("the busiest hour at three times the mean: workers + web", peaks),
    ]


def viewers(content: dict[str, Any]) -> list[str]:
    """What a thousand live viewers need."""
    milliseconds = _live(content)["core ms"]
    cores = math.ceil(VIEWERS * FRAMES_A_SECOND * milliseconds / 1000 / UTILISATION)
    processes = math.ceil(cores / CORES_A_PROCESS)
    return [
        "| | |",
        "| --- | ---: |",
        _row(f"cores: 5,000 × {milliseconds:.1f} ms ÷ 0.7", [str(cores)]),
        _row("hosts of 8 cores", [str(math.ceil(cores / CORES_A_HOST))]),
        _row("web processes, one for each 4 cores (`LIVE_THREADS=4`)", [str(processes)]),
        _row("sockets a web process", [str(math.ceil(VIEWERS / processes))]),
    ]


def machines(content: dict[str, Any]) -> list[str]:
    """What one machine does of either."""
    photo = _seconds(content, "1.6 MP", (*WORKER, *WEB))
    frame = _live(content)["core ms"] / 1000
    rows = [
        "| cores | photos a day (1.6 megapixels, web and workers, utilisation 0.7) "
        "| or live viewers at 5 a second |",
        "| ---: | ---: | ---: |",
    ]
    for cores in (2, 8, 32):
        a_day = cores * UTILISATION * SECONDS_A_DAY / photo
        at_once = int(cores * UTILISATION / (frame * FRAMES_A_SECOND))
        rows.append(f"| {cores} | {round(a_day, -5):,.0f} | {at_once} |")
    return rows


TABLES = {"stages": stages, "photos": photos, "viewers": viewers, "machines": machines}


def _seconds(content: dict[str, Any], size: str, names: tuple[str, ...]) -> float:
    return sum(float(content["figures"][f"{size}: {name}"]["core ms"]) for name in names) / 1000


def _live(content: dict[str, Any]) -> dict[str, float]:
    (row,) = (row for name, row in content["figures"].items() if name.startswith("live frame"))
    found: dict[str, float] = row
    return found


def _cells(row: dict[str, float], shown: str) -> list[str]:
    bold = "**" if "**" in shown else ""
    often = row["a second"]
    cells = (f"{row['core ms']:.1f}", f"{often:.0f}" if often >= 100 else f"{often:.1f}")
    return [f"{bold}{cell}{bold}" for cell in cells]


def _row(name: str, values: list[str]) -> str:
    return f"| {name} | {' | '.join(values)} |"
