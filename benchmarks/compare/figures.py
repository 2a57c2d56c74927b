"""What a program saw, counted against what is known of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.compare.pictures import COMMON, Picture
from recognition.training.detection_figures import matches
from recognition.vision.types import BoundingBox

#: One line of `peer`: `faces` as pairs of box and label, `core_ms` and `ms`.
Seen = dict[str, Any]


def count(pictures: Sequence[Picture], seen: Sequence[Seen]) -> dict[str, dict[str, Any]]:
    """Figures of each part.

    Args:
        pictures: in the order in which they were looked at.
        seen: for each picture, what the program told.
    """
    parts: dict[str, list[tuple[Picture, Seen]]] = {}
    for picture, one in zip(pictures, seen, strict=True):
        parts.setdefault(picture.part, []).append((picture, one))
    return {part: _count(rows) for part, rows in parts.items()}


def _count(rows: list[tuple[Picture, Seen]]) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "pictures": len(rows),
        "core_ms": round(sum(one["core_ms"] for _, one in rows) / len(rows), 2),
        "ms": round(sum(one["ms"] for _, one in rows) / len(rows), 2),
    }
    if all(picture.boxes is not None for picture, _ in rows):
        figures |= _boxes(rows)
    else:
        figures["found"] = sum(bool(one["faces"]) for _, one in rows)
        figures["more_than_one"] = sum(len(one["faces"]) > 1 for _, one in rows)
    labelled = [(picture.label, _label(one)) for picture, one in rows if picture.label]
    if labelled and all(label is not None for _, label in labelled):
        figures["labelled"] = len(labelled)
        figures["right"] = sum(wanted == label for wanted, label in labelled)
        figures["by_label"] = {
            wanted: {
                "n": sum(one == wanted for one, _ in labelled),
                "right": sum(one == wanted == label for one, label in labelled),
            }
            for wanted in COMMON
        }
    return figures


def _boxes(rows: list[tuple[Picture, Seen]]) -> dict[str, int]:
    faces = found = boxes = 0
    for picture, one in rows:
        there = [BoundingBox(*box) for box in picture.boxes or ()]
        told = [BoundingBox(*box) for box, _label in one["faces"]]
        faces += len(there)
        boxes += len(told)
        found += matches(there, told)
    return {"faces": faces, "found": found, "false": boxes - found}


def _label(one: Seen) -> str | None:
    """Of the largest face: None where the program gives no labels, "" where it found no face."""
    if not one["faces"]:
        return ""
    sized = [(box[2] * box[3] if box else 0, label) for box, label in one["faces"]]
    label = max(sized, key=lambda entry: entry[0])[1]
    return None if label is None else str(label)
