"""How predictions compare with the truth: accuracy, F1, calibration, confusions.

Expected calibration error: Guo et al. 2017, "On Calibration of Modern Neural Networks".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

#: Bins of equal width over confidence, as in most published figures.
CALIBRATION_BINS = 15
#: Truth of an example that a source does not label.
UNLABELLED = -1

#: Decimals kept in the record.
_DECIMALS = 6


class ClassFigures(TypedDict):
    """Of one label; a ratio without any case in its denominator is 0."""

    precision: float
    recall: float
    f1: float
    support: int


class CalibrationBin(TypedDict):
    """Predictions with a confidence from `lower` to `upper`; means are 0 where `n` is."""

    lower: float
    upper: float
    n: int
    confidence: float
    accuracy: float


class Figures(TypedDict):
    """Of one set of predictions. `confusion_matrix[i][j]`: true label i was called j."""

    n: int
    accuracy: float
    macro_f1: float
    expected_calibration_error: float
    classes: dict[str, ClassFigures]
    confusion_matrix: list[list[int]]
    calibration_bins: list[CalibrationBin]


class PartFigures(TypedDict):
    """How many of the predictions a condition leaves, and how many of those are right."""

    n: int
    share: float
    accuracy: float


def measure(
    probabilities: NDArray[np.float32], truth: NDArray[np.intp], labels: Sequence[str]
) -> Figures:
    """Compare predictions with the truth.

    Args:
        probabilities: ``(n, number of labels)``; rows sum to 1.
        truth: int ``(n,)``, index of the true label; :data:`UNLABELLED` rows are left out.
        labels: names, in the order of the columns.

    Raises:
        ValueError: no example is labelled.
    """
    labelled = truth != UNLABELLED
    if not labelled.any():
        raise ValueError("no example is labelled")
    probabilities, truth = probabilities[labelled], truth[labelled]
    predicted = probabilities.argmax(axis=1)
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    classes = {label: _class_figures(confusion, i) for i, label in enumerate(labels)}
    bins = _calibration_bins(probabilities.max(axis=1), predicted == truth)
    gaps = [entry["n"] * abs(entry["accuracy"] - entry["confidence"]) for entry in bins]
    return {
        "n": len(truth),
        "accuracy": rounded(np.mean(predicted == truth)),
        "macro_f1": rounded(np.mean([entry["f1"] for entry in classes.values()])),
        "expected_calibration_error": rounded(sum(gaps) / len(truth)),
        "classes": classes,
        "confusion_matrix": confusion.tolist(),
        "calibration_bins": bins,
    }


def measure_part(right: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> PartFigures:
    """Share and accuracy of the chosen predictions; accuracy is 0 where none is chosen."""
    n = int(chosen.sum())
    return {
        "n": n,
        "share": rounded(n / max(1, len(chosen))),
        "accuracy": rounded(right[chosen].mean()) if n else 0.0,
    }


def _class_figures(confusion: NDArray[np.int64], index: int) -> ClassFigures:
    hits = float(confusion[index, index])
    support, called = confusion[index].sum(), confusion[:, index].sum()
    return {
        "precision": rounded(hits / called) if called else 0.0,
        "recall": rounded(hits / support) if support else 0.0,
        "f1": rounded(2 * hits / (support + called)) if support + called else 0.0,
        "support": int(support),
    }


def _calibration_bins(
    confidence: NDArray[np.float32], right: NDArray[np.bool_]
) -> list[CalibrationBin]:
    of_bin = np.minimum((confidence * CALIBRATION_BINS).astype(np.intp), CALIBRATION_BINS - 1)
    bins: list[CalibrationBin] = []
    for i in range(CALIBRATION_BINS):
        inside = of_bin == i
        n = int(inside.sum())
        bins.append(
            {
                "lower": rounded(i / CALIBRATION_BINS),
                "upper": rounded((i + 1) / CALIBRATION_BINS),
                "n": n,
                "confidence": rounded(confidence[inside].mean()) if n else 0.0,
                "accuracy": rounded(right[inside].mean()) if n else 0.0,
            }
        )
    return bins


def rounded(value: float | np.floating) -> float:
    return round(float(value), _DECIMALS)
