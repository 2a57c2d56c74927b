"""Figures of a trained model against both sources of labels, through the classifier that serves.

Needs neither Keras nor TensorFlow, so it runs where the site runs. Expected calibration error:
Guo et al. 2017, "On Calibration of Modern Neural Networks".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from recognition.training.dataset import Examples
from recognition.training.stability import Stability
from recognition.vision.classification import EmotionClassifier, mixed

#: Who labelled: the data set itself, and ten taggers of whom more than half agree.
SOURCES = ("fer2013", "ferplus")
#: The source whose labels each head learned.
HEAD_SOURCES = {"fer2013": "fer2013", "consensus": "ferplus"}
#: Bins of equal width over confidence, as in most published figures.
CALIBRATION_BINS = 15
#: Truth of an example that a source does not label.
UNLABELLED = -1

_CHUNK = 128
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


class SourceFigures(TypedDict):
    """By one source of labels.

    `confident` leaves out what people are told is uncertain; `without_repeats` (what is shown)
    and `heads_without_repeats` leave out images that also stood in the data set's train part.
    """

    shown: Figures
    heads: dict[str, Figures]
    confident: PartFigures
    without_repeats: NotRequired[PartFigures]
    heads_without_repeats: NotRequired[dict[str, PartFigures]]


class AgainstFloat(TypedDict):
    """What int8 costs, by head: share of the same labels, and accuracy lost by the head's source.

    Negative losses are gains.
    """

    n: int
    agreement: dict[str, float]
    accuracy_lost: dict[str, float]


class Evaluation(TypedDict):
    """Everything measured on one part of the data.

    `shown` repeats how the heads were weighed; `agreement` tells, over the images that both
    sources label, how often they say the same.
    """

    part: str
    model_version: str
    data_fingerprint: str
    shown: dict[str, Any]
    mirror_below: float
    uncertain_below: float
    sources: dict[str, SourceFigures]
    agreement: NotRequired[PartFigures]
    label_stability: NotRequired[Stability]
    against_float: NotRequired[AgainstFloat]


def true_labels(examples: Examples, *, with_votes: bool) -> dict[str, NDArray[np.intp]]:
    """What each source calls each example.

    Args:
        examples: with the labels of both sources.
        with_votes: False where the taggers' votes were not given.

    Returns:
        For each source, int ``(n,)``: index of the label, or :data:`UNLABELLED`. An image that
        the data set files under two labels equally often counts as unlabelled.
    """
    clear = examples.label_targets.max(axis=1, initial=0.0) > 0.5
    truths = {"fer2013": np.where(clear, examples.label_targets.argmax(axis=1), UNLABELLED)}
    if with_votes:
        truths["ferplus"] = np.where(
            examples.vote_majority, examples.vote_targets.argmax(axis=1), UNLABELLED
        )
    return truths


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
        "accuracy": _rounded(np.mean(predicted == truth)),
        "macro_f1": _rounded(np.mean([entry["f1"] for entry in classes.values()])),
        "expected_calibration_error": _rounded(sum(gaps) / len(truth)),
        "classes": classes,
        "confusion_matrix": confusion.tolist(),
        "calibration_bins": bins,
    }


def measure_part(right: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> PartFigures:
    """Share and accuracy of the chosen predictions; accuracy is 0 where none is chosen."""
    n = int(chosen.sum())
    return {
        "n": n,
        "share": _rounded(n / max(1, len(chosen))),
        "accuracy": _rounded(right[chosen].mean()) if n else 0.0,
    }


def evaluate(
    classifier: EmotionClassifier,
    examples: Examples,
    *,
    part: str,
    data_fingerprint: str,
    with_votes: bool,
    repeated: NDArray[np.bool_] | None = None,
    progress: Callable[[int], object] | None = None,
) -> Evaluation:
    """Classify the labelled examples as the site would and measure the outcome.

    Args:
        classifier: the model, calibrated by its manifest.
        examples: with the labels of both sources.
        part: ``"test"`` or ``"validation"``, for the record.
        data_fingerprint: of the data set, for the record.
        with_votes: False where the taggers' votes were not given.
        repeated: bool ``(n,)``, the image also stood in the data set's train part.
        progress: called with the number of examples just classified.

    Raises:
        ValueError: a source labels none of the examples.
    """
    truths = true_labels(examples, with_votes=with_votes)
    wanted = np.any([truth != UNLABELLED for truth in truths.values()], axis=0)
    truths = {source: truth[wanted] for source, truth in truths.items()}
    heads = classify(classifier, examples.images[wanted], progress)
    manifest = classifier.manifest
    shown = mixed(heads, manifest.shown)
    predicted = shown.argmax(axis=1)
    confident = shown.max(axis=1) >= manifest.uncertain_below

    sources: dict[str, SourceFigures] = {}
    for source, truth in truths.items():
        labelled = truth != UNLABELLED
        right = (predicted == truth)[labelled]
        sources[source] = {
            "shown": measure(shown, truth, manifest.labels),
            "heads": {head: measure(p, truth, manifest.labels) for head, p in heads.items()},
            "confident": measure_part(right, confident[labelled]),
        }
        if repeated is not None:
            kept = ~repeated[wanted][labelled]
            sources[source]["without_repeats"] = measure_part(right, kept)
            sources[source]["heads_without_repeats"] = {
                head: measure_part((p.argmax(axis=1) == truth)[labelled], kept)
                for head, p in heads.items()
            }
    evaluation: Evaluation = {
        "part": part,
        "model_version": manifest.version,
        "data_fingerprint": data_fingerprint,
        "shown": asdict(manifest.shown),
        "mirror_below": manifest.mirror_below,
        "uncertain_below": manifest.uncertain_below,
        "sources": sources,
    }
    if with_votes:
        first, second = truths.values()
        both = (first != UNLABELLED) & (second != UNLABELLED)
        evaluation["agreement"] = measure_part(first == second, both)
    return evaluation


def measure_against_float(
    served: Mapping[str, NDArray[np.float32]],
    exact: Mapping[str, NDArray[np.float32]],
    truths: Mapping[str, NDArray[np.intp]],
) -> AgainstFloat:
    """Compare the heads' probabilities of the artefact with those of the float32 network.

    Args:
        served: for each head ``(n, number of labels)``.
        exact: the same from the float32 network.
        truths: for each source int ``(n,)``; a head whose source is missing loses nothing known.
    """
    labels = {head: (served[head].argmax(axis=1), exact[head].argmax(axis=1)) for head in served}
    lost = {}
    for head, (quantized, precise) in labels.items():
        truth = truths.get(HEAD_SOURCES[head])
        if truth is not None:
            labelled = truth != UNLABELLED
            right = [(found == truth)[labelled].mean() for found in (precise, quantized)]
            lost[head] = _rounded(right[0] - right[1])
    first = next(iter(served.values()))
    return {
        "n": len(first),
        "agreement": {head: _rounded(np.mean(a == b)) for head, (a, b) in labels.items()},
        "accuracy_lost": lost,
    }


def classify(
    classifier: EmotionClassifier,
    images: NDArray[np.uint8],
    progress: Callable[[int], object] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """The calibrated probabilities of every head, a part of the images at a time."""
    chunks = []
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK]
        chunks.append(classifier.head_probabilities(chunk))
        if progress:
            progress(len(chunk))
    if not chunks:
        return classifier.head_probabilities(images)
    return {head: np.concatenate([chunk[head] for chunk in chunks]) for head in chunks[0]}


def _class_figures(confusion: NDArray[np.int64], index: int) -> ClassFigures:
    hits = float(confusion[index, index])
    support, called = confusion[index].sum(), confusion[:, index].sum()
    return {
        "precision": _rounded(hits / called) if called else 0.0,
        "recall": _rounded(hits / support) if support else 0.0,
        "f1": _rounded(2 * hits / (support + called)) if support + called else 0.0,
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
                "lower": _rounded(i / CALIBRATION_BINS),
                "upper": _rounded((i + 1) / CALIBRATION_BINS),
                "n": n,
                "confidence": _rounded(confidence[inside].mean()) if n else 0.0,
                "accuracy": _rounded(right[inside].mean()) if n else 0.0,
            }
        )
    return bins


def _rounded(value: float | np.floating) -> float:
    return round(float(value), _DECIMALS)
