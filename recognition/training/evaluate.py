"""Figures of a trained model against both sources of labels, through the classifier that serves.

Needs neither PyTorch nor TensorFlow, so it runs where the site runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from recognition.training.dataset import CLASSES, NAMED, OTHER, Examples
from recognition.training.figures import (
    UNLABELLED,
    Figures,
    PartFigures,
    measure,
    measure_part,
    rounded,
)
from recognition.training.stability import Stability
from recognition.training.wild import WildFigures
from recognition.vision.classification import EmotionClassifier, mixed
from recognition.vision.manifest import Manifest

#: Who labelled: the data set itself, and ten taggers of whom more than half agree.
SOURCES = ("fer2013", "ferplus")
#: The source whose labels each head learned.
HEAD_SOURCES = {"fer2013": "fer2013", "consensus": "ferplus"}
#: The classes that each source tells apart.
SOURCE_CLASSES = {source: CLASSES[head] for head, source in HEAD_SOURCES.items()}

_CHUNK = 128


class NamedFigures(TypedDict):
    """Of faces whose label has a word of its own, with probabilities renormalised without *other*.

    So models with and without *other* compare. Of each head `heads_without_repeats` leaves out
    images that also stood in the data set's train part.
    """

    shown: Figures
    heads: dict[str, Figures]
    heads_without_repeats: NotRequired[dict[str, PartFigures]]


class ClassShown(TypedDict):
    """What people are shown of one of a source's classes: faces by label, and uncertain ones."""

    n: int
    labels: dict[str, int]
    uncertain: int


class SourceFigures(TypedDict):
    """By one source of labels.

    `confident` leaves out what people are told is uncertain, `without_repeats` images that also
    stood in the data set's train part.
    """

    shown: Figures
    heads: dict[str, Figures]
    named: NamedFigures
    classes_shown: dict[str, ClassShown]
    confident: PartFigures
    without_repeats: NotRequired[PartFigures]


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
    wild: NotRequired[WildFigures]


def true_classes(examples: Examples, *, with_votes: bool) -> dict[str, NDArray[np.intp]]:
    """What each source calls each example.

    Args:
        examples: with the labels of both sources.
        with_votes: False where the taggers' votes were not given.

    Returns:
        For each source, int ``(n,)``: index in :data:`SOURCE_CLASSES`, or :data:`UNLABELLED`. An
        image that the data set files under two classes equally often counts as unlabelled.
    """
    clear = examples.label_targets.max(axis=1, initial=0.0) > 0.5
    truths = {"fer2013": np.where(clear, examples.label_targets.argmax(axis=1), UNLABELLED)}
    if with_votes:
        truths["ferplus"] = np.where(
            examples.vote_majority, examples.vote_targets.argmax(axis=1), UNLABELLED
        )
    return truths


def true_labels(
    examples: Examples, labels: Sequence[str], *, with_votes: bool
) -> dict[str, NDArray[np.intp]]:
    """The label that would be right for each example by each source.

    Returns:
        For each source, int ``(n,)``: index in `labels`, or :data:`UNLABELLED`, also where the
        right one is not among them.
    """
    return {
        source: as_labels_index(classes, labels)
        for source, classes in true_classes(examples, with_votes=with_votes).items()
    }


def as_labels_index(classes: NDArray[np.intp], labels: Sequence[str]) -> NDArray[np.intp]:
    """Indices of classes as indices in `labels`; what has none is :data:`UNLABELLED`."""
    order = {label: i for i, label in enumerate(labels)}
    named = [order.get(label, UNLABELLED) for label in NAMED]
    n_rest = max(map(len, SOURCE_CLASSES.values())) - len(NAMED)
    # The last entry is that of UNLABELLED.
    table = np.array([*named, *[order.get(OTHER, UNLABELLED)] * n_rest, UNLABELLED], np.intp)
    return table[classes]


def of_named(
    probabilities: NDArray[np.float32], labels: Sequence[str]
) -> tuple[NDArray[np.float32], list[str]]:
    """Probabilities renormalised without *other*, and the labels that are left."""
    kept = [i for i, label in enumerate(labels) if label != OTHER]
    some = probabilities[:, kept]
    total = np.maximum(some.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return some / total, [labels[i] for i in kept]


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
    manifest = classifier.manifest
    classes = true_classes(examples, with_votes=with_votes)
    wanted = np.any([found != UNLABELLED for found in classes.values()], axis=0)
    classes = {source: found[wanted] for source, found in classes.items()}
    heads = classify(classifier, examples.images[wanted], progress)
    shown = mixed(heads, manifest.shown)
    kept = None if repeated is None else ~repeated[wanted]
    truths = {source: as_labels_index(found, manifest.labels) for source, found in classes.items()}
    sources = {
        source: _by_source(manifest, shown, heads, truth, kept) for source, truth in truths.items()
    }
    for source, found in classes.items():
        sources[source]["classes_shown"] = _classes_shown(
            manifest, shown, found, SOURCE_CLASSES[source]
        )
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


def among(truth: NDArray[np.intp], labels: Sequence[str], some: Sequence[str]) -> NDArray[np.intp]:
    """Indices in `labels` as indices in `some` of them; the rest are :data:`UNLABELLED`."""
    places = [some.index(label) if label in some else UNLABELLED for label in labels]
    return np.array([*places, UNLABELLED], np.intp)[truth]


def _by_source(
    manifest: Manifest,
    shown: NDArray[np.float32],
    heads: Mapping[str, NDArray[np.float32]],
    truth: NDArray[np.intp],
    kept: NDArray[np.bool_] | None,
) -> SourceFigures:
    labels = manifest.labels
    labelled = truth != UNLABELLED
    right = (shown.argmax(axis=1) == truth)[labelled]
    confident = shown.max(axis=1) >= manifest.uncertain_below
    shown_named, named = of_named(shown, labels)
    heads_named = {head: of_named(p, labels)[0] for head, p in heads.items()}
    truth_named = among(truth, labels, named)
    figures: SourceFigures = {
        "shown": measure(shown, truth, labels),
        "heads": {head: measure(p, truth, labels) for head, p in heads.items()},
        "named": {
            "shown": measure(shown_named, truth_named, named),
            "heads": {head: measure(p, truth_named, named) for head, p in heads_named.items()},
        },
        "classes_shown": {},
        "confident": measure_part(right, confident[labelled]),
    }
    if kept is not None:
        figures["without_repeats"] = measure_part(right, kept[labelled])
        chosen = truth_named != UNLABELLED
        figures["named"]["heads_without_repeats"] = {
            head: measure_part((p.argmax(axis=1) == truth_named)[chosen], kept[chosen])
            for head, p in heads_named.items()
        }
    return figures


def _classes_shown(
    manifest: Manifest,
    shown: NDArray[np.float32],
    classes: NDArray[np.intp],
    names: Sequence[str],
) -> dict[str, ClassShown]:
    predicted = shown.argmax(axis=1)
    uncertain = shown.max(axis=1) < manifest.uncertain_below
    return {
        name: {
            "n": int((classes == i).sum()),
            "labels": {
                label: int(((classes == i) & (predicted == j)).sum())
                for j, label in enumerate(manifest.labels)
            },
            "uncertain": int(((classes == i) & uncertain).sum()),
        }
        for i, name in enumerate(names)
    }


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
            lost[head] = rounded(right[0] - right[1])
    first = next(iter(served.values()))
    return {
        "n": len(first),
        "agreement": {head: rounded(np.mean(a == b)) for head, (a, b) in labels.items()},
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
