"""What the model is wanted to reach, beside what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

LATENCY_FILE = "latency.json"


@dataclass(frozen=True)
class Wanted:
    """A limit, and what would be better still."""

    limit: float
    aim: float | None = None
    at_most: bool = False

    def is_met(self, value: float) -> bool:
        return value <= self.limit if self.at_most else value >= self.limit


FER2013_ACCURACY = Wanted(0.81, 0.84)
FER2013_ACCURACY_WITHOUT_REPEATS = Wanted(0.80, 0.83)
CONSENSUS_ACCURACY = Wanted(0.92, 0.94)
#: What the demo that this project grew from reports; each is to be exceeded by the `fer2013` head.
ORIGINAL_F1 = {"happy": 0.90, "sad": 0.72, "surprise": 0.86, "neutral": 0.69}
#: Of what people are shown, by source of labels.
SHOWN_MACRO_F1 = {"fer2013": Wanted(0.78, 0.82), "ferplus": Wanted(0.88, 0.92)}
CALIBRATION_ERROR = Wanted(0.03, 0.015, at_most=True)
FLOAT_AGREEMENT = Wanted(0.99)
FLOAT_ACCURACY_LOST = Wanted(0.003, at_most=True)
LABEL_STABILITY = Wanted(0.95)
#: As a multiple of the speed of Keras's `predict` on one face of 96×96 pixels in colour.
SPEED = Wanted(30, 50)


@dataclass(frozen=True)
class Line:
    """One figure of the table.

    Attributes:
        name: what is measured.
        wanted: the least that will do.
        aim: what would be better still; empty where nothing is named.
        measured: empty where it was not.
        met: None where it was not measured.
    """

    name: str
    wanted: str
    aim: str
    measured: str
    met: bool | None

    @property
    def verdict(self) -> str:
        return {True: "met", False: "missed", None: "not measured"}[self.met]


def lines(content: Mapping[str, Any], latency: Mapping[str, Any] | None) -> list[Line]:
    """The table, from what is stored; figures of another part than test count as not measured.

    Args:
        content: the manifest.
        latency: what ``benchmarks.latency`` wrote beside it; None where it was not run.
    """
    test = content.get("evaluation", {})
    heads, shown, repeats = (
        {source: figures.get(kind, {}) for source, figures in test.get("sources", {}).items()}
        for kind in ("heads", "shown", "heads_without_repeats")
    )
    against_float = test.get("against_float", {})
    if latency is not None and latency["model_version"] != content["version"]:
        latency = None
    classes = _at(heads, "fer2013", "fer2013", "classes")
    shown_error = _at(shown, "ferplus", "expected_calibration_error")
    return [
        _line(
            "`fer2013` head: accuracy by FER-2013 labels",
            FER2013_ACCURACY,
            _at(heads, "fer2013", "fer2013", "accuracy"),
            _percent,
        ),
        _line(
            "the same on images that do not stand in train, too",
            FER2013_ACCURACY_WITHOUT_REPEATS,
            _at(repeats, "fer2013", "fer2013", "accuracy"),
            _percent,
        ),
        *(
            _line(
                f"the same head's F1 of *{label}*; the original's is {original:.2f}",
                Wanted(original),
                classes and classes[label]["f1"],
                _three,
            )
            for label, original in ORIGINAL_F1.items()
        ),
        _line(
            "`consensus` head: accuracy by FER+ majority",
            CONSENSUS_ACCURACY,
            _at(heads, "ferplus", "consensus", "accuracy"),
            _percent,
        ),
        _line(
            "what is shown: macro-F1 by FER-2013 labels",
            SHOWN_MACRO_F1["fer2013"],
            _at(shown, "fer2013", "macro_f1"),
            _three,
        ),
        _line(
            "what is shown: macro-F1 by FER+ majority",
            SHOWN_MACRO_F1["ferplus"],
            _at(shown, "ferplus", "macro_f1"),
            _three,
        ),
        _line(
            "what is shown: calibration error by FER+ majority",
            CALIBRATION_ERROR,
            shown_error,
            _three,
        ),
        _line(
            "int8 and float32 give the same label (the worse head)",
            FLOAT_AGREEMENT,
            _extreme(min, against_float.get("agreement")),
            _percent,
        ),
        _line(
            "accuracy that int8 loses (the worse head)",
            FLOAT_ACCURACY_LOST,
            _extreme(max, against_float.get("accuracy_lost")),
            _percent,
        ),
        _line(
            "labels that stay when the box is a tenth larger, smaller or shifted",
            LABEL_STABILITY,
            _at(test, "label_stability", "share"),
            _percent,
        ),
        _line(
            "one face, 2 threads: times as fast as Keras `predict` at 96×96",
            SPEED,
            latency and latency["times_as_fast"],
            _times,
        ),
    ]


def _line(name: str, wanted: Wanted, value: Any, write: Callable[[float], str]) -> Line:
    """A line of the table; no value says that it was not measured."""
    return Line(
        name,
        f"{'≤' if wanted.at_most else '≥'} {write(wanted.limit)}",
        "" if wanted.aim is None else write(wanted.aim),
        "" if value is None else write(value),
        None if value is None else wanted.is_met(value),
    )


def _at(figures: Mapping[str, Any], *keys: str) -> Any:
    """What stands under the keys, one in the other; None where one of them is missing."""
    found: Any = figures
    for key in keys:
        found = None if found is None else found.get(key)
    return found


def _extreme(
    choose: Callable[[Iterable[float]], float], values: Mapping[str, float] | None
) -> float | None:
    return choose(values.values()) if values else None


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _three(value: float) -> str:
    return f"{value:.3f}"


def _times(value: float) -> str:
    return f"{value:.0f} ×"
