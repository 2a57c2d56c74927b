"""docs/COMPARISON.md from the figures; a test compares the two."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.compare import prose

Figures = dict[str, Any]

NAMES = {
    "visage": "Visage",
    "fer": "fer, its default (Haar)",
    "fer-mtcnn": "fer with MTCNN",
    "deepface-opencv": "deepface, its default (OpenCV's Haar)",
    "deepface-mtcnn": "deepface with MTCNN",
    "deepface-retinaface": "deepface with RetinaFace",
}
#: Below so many labels, one more or less is more than a point.
NONE = "–"


def page(content: Figures) -> str:
    """The whole page."""
    compared = {name: row for name, row in content["programs"].items() if "parts" in row}
    about, n = content["machine"], _parts(compared)
    sections = [
        "# Beside other programs",
        "The same pictures, one after the other, on one core with one thread, each program run by "
        f"its own Python in one run of `make compare` ({content['date']}, {about['processor']}). "
        "Rows in which another program wins stay in.",
        "Times are the processor's, so other programs on the machine hardly change them.",
        "## Faces found",
        _detection(compared, n),
        _detection_notes(n),
        "## Labels right",
        _labels(compared, n),
        _label_notes(content, n),
        "## What it costs",
        _costs(compared),
        prose.COSTS,
        "## Versions, and what is missing",
        _versions(content["programs"]),
        prose.REPEAT,
    ]
    text = "\n\n".join(section for section in sections if section)
    return "\n\n".join(map(_wrapped, text.split("\n\n"))) + "\n"


def _wrapped(paragraph: str) -> str:
    """A paragraph in lines; headings, tables and commands stay as they are."""
    return paragraph if paragraph[0] in "#| " else textwrap.fill(paragraph, 120)


def _parts(compared: Figures) -> Figures:
    """Counts of pictures and faces in each part, the same for everybody."""
    parts: Figures = next(iter(compared.values()))["parts"]
    return parts


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _rows(compared: Figures, cells: Iterable[Callable[[Figures], str]]) -> list[list[str]]:
    cells = list(cells)
    return [[NAMES[name], *(cell(row) for cell in cells)] for name, row in compared.items()]


def _detection(compared: Figures, n: Figures) -> str:
    columns: dict[str, Callable[[Figures], str]] = {}
    for part, title in (("upright", "upright"), ("turned", "turned by 30° to 180°")):
        columns[f"{title}: found of {n[part]['faces']}"] = _cell(part, "found")
    columns["false there"] = lambda row: str(
        sum(row["parts"][part]["false"] for part in ("upright", "turned"))
    )
    columns[f"false on {n['empty']['pictures']} pictures without faces"] = _cell("empty", "false")
    if "photos" in n:
        columns[f"photos of one face: found of {n['photos']['pictures']:,}"] = _cell(
            "photos", "found"
        )
    return _table(["", *columns], _rows(compared, columns.values()))


def _cell(part: str, key: str) -> Callable[[Figures], str]:
    return lambda row: f"{row['parts'][part][key]:,}"


def _detection_notes(n: Figures) -> str:
    return prose.COMPOSED + (prose.PHOTOS_FOUND if "photos" in n else "")


def _labels(compared: Figures, n: Figures) -> str:
    columns: dict[str, Callable[[Figures], str]] = {}
    if "faces" in n:
        columns["FER-2013 test"] = lambda row: _share(row["parts"]["faces"])
        for label in ("happy", "neutral", "sad", "surprise"):
            columns[label] = lambda row, label=label: _share(  # type: ignore[misc]
                row["parts"]["faces"].get("by_label", {}).get(label, {}), short=True
            )
    if "photos" in n:
        columns["photos, whole way"] = lambda row: _share(row["parts"]["photos"])
    if not columns:
        return "Not compared: no data was given."
    return _table(["", *columns], _rows(compared, columns.values()))


def _share(part: Figures, *, short: bool = False) -> str:
    right, n = part.get("right"), part.get("labelled", part.get("n"))
    if right is None or not n:
        return NONE
    return f"{right / n:.1%}" if short else f"{right / n:.1%} of {n:,}"


def _label_notes(content: Figures, n: Figures) -> str:
    notes = [prose.FACES] if "faces" in n else []
    if "photos" in n:
        notes.append(prose.PHOTOS_LABELLED)
    if content.get("limit"):
        notes.append(f"A sample of {content['limit']:,} pictures of each was taken.")
    return "\n\n".join(notes)


def _costs(compared: Figures) -> str:
    columns: dict[str, Callable[[Figures], str]] = {
        "ms a composed picture": lambda row: f"{_composed_ms(row):.0f}",
        "ms a photo": lambda row: _ms(row, "photos"),
        "ms a given face": lambda row: _ms(row, "faces"),
        "first call, s": lambda row: f"{row['first_call']['core_seconds']:.1f}",
        "memory, MB": lambda row: f"{row['memory_mb']:,.0f}",
    }
    return _table(["", *columns], _rows(compared, columns.values()))


def _composed_ms(row: Figures) -> float:
    parts = [row["parts"][name] for name in ("upright", "turned", "empty")]
    pictures = sum(part["pictures"] for part in parts)
    return float(sum(part["core_ms"] * part["pictures"] for part in parts) / pictures)


def _ms(row: Figures, part: str) -> str:
    found = row["parts"].get(part)
    return f"{found['core_ms']:.0f}" if found else NONE


def _versions(programs: Figures) -> str:
    rows = []
    for name, row in programs.items():
        if "parts" in row:
            told = ", ".join(f"{key} {value}" for key, value in row["versions"].items())
            if not row["labels"]:
                told += (
                    ". Its weights for expressions could not be had where this was measured: it "
                    "ran with random ones, which cost the same, and has no labels here"
                )
        else:
            told = f"not compared: {row['missing']}"
        rows.append([NAMES[name], told])
    return "\n".join("| " + " | ".join(row) + " |" for row in [["", ""], ["---", "---"], *rows])
