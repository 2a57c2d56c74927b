"""What the model is wanted to reach, beside what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from recognition.training.dataset import OTHER

LATENCY_FILE = "latency.json"


@dataclass(frozen=True)
class Wanted:
    """A limit, and what would be better still."""

    limit: float
    aim: float | None = None
    at_most: bool = False

    def is_met(self, value: float) -> bool:
        return value <= self.limit if self.at_most else value >= self.limit


#: By the `fer2013` head, of the labels that have words of their own.
FER2013_ACCURACY = Wanted(0.83, 0.845)
FER2013_ACCURACY_WITHOUT_REPEATS = Wanted(0.823, 0.84)
#: By the `consensus` head, likewise.
CONSENSUS_ACCURACY = Wanted(0.93, 0.945)
#: Of what people are shown, likewise, by source of labels.
SHOWN_MACRO_F1 = {"fer2013": Wanted(0.795, 0.82), "ferplus": Wanted(0.905, 0.93)}
#: Of what people are shown, with *other*, by FER+ majority.
SHOWN_ACCURACY = Wanted(0.88, 0.91)
OTHER_F1 = Wanted(0.60, 0.70)
CALIBRATION_ERROR = Wanted(0.015, 0.01, at_most=True)
#: On photos that nobody chose for the site.
WILD_CALIBRATION_ERROR = Wanted(0.06, 0.04, at_most=True)
WILD_HAPPY_AND_NEUTRAL = Wanted(0.89, 0.93)
WILD_ANGRY_ADMITTED = Wanted(0.65, 0.80)
FLOAT_AGREEMENT = Wanted(0.99)
FLOAT_ACCURACY_LOST = Wanted(0.003, at_most=True)
LABEL_STABILITY = Wanted(0.95, 0.97)
FRAME_STABILITY = Wanted(0.95, 0.97)
#: Milliseconds on one core.
ONE_FACE = Wanted(3.0, at_most=True)
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
    sources = test.get("sources", {})
    named = {source: figures.get("named", {}) for source, figures in sources.items()}
    shown = _at(sources, "ferplus", "shown")
    if OTHER not in content["labels"]:
        shown = None
    against_float, wild = test.get("against_float", {}), test.get("wild", {})
    if latency is not None and latency["model_version"] != content["version"]:
        latency = None
    return [
        _line(
            "FER-2013 labels: `fer2013` head, of four",
            FER2013_ACCURACY,
            _at(named, "fer2013", "heads", "fer2013", "accuracy"),
            _percent,
        ),
        _line(
            "the same on images that are not in train, too",
            FER2013_ACCURACY_WITHOUT_REPEATS,
            _at(named, "fer2013", "heads_without_repeats", "fer2013", "accuracy"),
            _percent,
        ),
        _line(
            "FER+ majority: `consensus` head, of four",
            CONSENSUS_ACCURACY,
            _at(named, "ferplus", "heads", "consensus", "accuracy"),
            _percent,
        ),
        _line(
            "what is shown, of four: macro-F1 by FER-2013 labels",
            SHOWN_MACRO_F1["fer2013"],
            _at(named, "fer2013", "shown", "macro_f1"),
            _three,
        ),
        _line(
            "what is shown, of four: macro-F1 by FER+ majority",
            SHOWN_MACRO_F1["ferplus"],
            _at(named, "ferplus", "shown", "macro_f1"),
            _three,
        ),
        _line(
            "what is shown, five labels, by FER+ majority: accuracy",
            SHOWN_ACCURACY,
            _at(shown, "accuracy"),
            _percent,
        ),
        _line("the same: F1 of *other*", OTHER_F1, _at(shown, "classes", OTHER, "f1"), _three),
        _line(
            "the same: calibration error",
            CALIBRATION_ERROR,
            _at(shown, "expected_calibration_error"),
            _three,
        ),
        _line(
            "photos in the wild: calibration error",
            WILD_CALIBRATION_ERROR,
            _at(wild, "expected_calibration_error"),
            _three,
        ),
        _line(
            "photos in the wild: happy and neutral faces that are right",
            WILD_HAPPY_AND_NEUTRAL,
            _at(wild, "happy_and_neutral", "accuracy"),
            _percent,
        ),
        _line(
            "photos in the wild: angry faces called *other* or uncertain",
            WILD_ANGRY_ADMITTED,
            _at(wild, "angry_admitted", "accuracy"),
            _percent,
        ),
        _line(
            "labels that stay when the box is a tenth larger, smaller or shifted",
            LABEL_STABILITY,
            _at(test, "label_stability", "share"),
            _percent,
        ),
        _line(
            "labels that stay between the two detectors' frames of a face",
            FRAME_STABILITY,
            _at(test, "label_stability", "between_detectors", "share"),
            _percent,
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
            "one face on one core",
            ONE_FACE,
            latency and latency.get("one_core_milliseconds"),
            _milliseconds,
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


def _at(figures: Any, *keys: str) -> Any:
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


def _milliseconds(value: float) -> str:
    return f"{value:.1f} ms"


def _times(value: float) -> str:
    return f"{value:.0f} ×"
