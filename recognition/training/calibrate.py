"""Make probabilities honest and decide what people are shown; all of it on validation.

Temperature scaling: Guo et al. 2017, "On Calibration of Modern Neural Networks". One divisor of
the logits for each head changes no ranking within an image, only how sure the head claims to be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.training.dataset import OTHER, Dataset, Examples
from recognition.training.evaluate import HEAD_SOURCES, among, evaluate, of_named, true_labels
from recognition.training.figures import UNLABELLED, measure
from recognition.training.record import write_manifest
from recognition.training.wanted import SHOWN_ACCURACY, SHOWN_MACRO_F1
from recognition.vision.classification import (
    EmotionClassifier,
    as_labels,
    in_doubt,
    mixed,
    softmax,
)
from recognition.vision.manifest import Head, Manifest, Mix, read_manifest

#: So many people should agree, in the mean, with a prediction that is not marked uncertain: also
#: on faces about which they are divided ...
CONFIDENT_AGREEMENT = 0.75
#: ... and its label more probable than all others together; above the upper end the mark would
#: hide nearly everything.
UNCERTAIN_RANGE = (0.5, 0.95)
#: Mirror images are looked at where it matters: at least this share of the labels that people are
#: shown must be those that the means of all crops and their mirror images give.
MIRROR_AGREEMENT = 0.995
#: Shares of the first head that are tried, in this many equal steps from all to nothing. Finer
#: ones did no better on one half of validation when chosen on the other.
WEIGHT_STEPS = 10
#: What *other* may be multiplied by.
OTHER_FACTORS = (1.0, 0.7, 0.5, 0.35)


@dataclass(frozen=True)
class Choice:
    """One way to make what is shown of the heads.

    Attributes:
        weights: head to its share; heads without one are left out.
        other_factor: by what *other* is multiplied; 1 where no label is that.
        macro_f1: by source of labels, of the labels that have words of their own.
        accuracy: of all labels, by the taggers' majority; None without *other* or without them.
    """

    weights: dict[str, float]
    other_factor: float
    macro_f1: dict[str, float]
    accuracy: float | None

    @property
    def margins(self) -> list[float]:
        """How far each figure stands above what is wanted, the worst first; below is negative."""
        margins = [score - SHOWN_MACRO_F1[source].limit for source, score in self.macro_f1.items()]
        if self.accuracy is not None:
            margins.append(self.accuracy - SHOWN_ACCURACY.limit)
        return sorted(margins)

    def mix(self, labels: Sequence[str], temperature: float = 1.0) -> Mix:
        """What is shown so, of `labels`."""
        if self.other_factor == 1.0:
            return Mix(self.weights, temperature)
        factors = tuple(self.other_factor if label == OTHER else 1.0 for label in labels)
        return Mix(self.weights, temperature, factors)

    def as_manifest(self) -> dict[str, Any]:
        """How the choice stands in the manifest."""
        return {
            "weights": self.weights,
            **({} if self.other_factor == 1.0 else {"factors": {OTHER: self.other_factor}}),
        }


@dataclass(frozen=True)
class Calibration:
    """What validation decided.

    Attributes:
        temperatures: head to divisor of its logits.
        chosen: how what people are shown is made of the heads.
        shown: the same, with its temperature.
        choices: every way that was tried.
        mirror_below: shown confidence of one view under which the mirror image is averaged in.
        mirror_share: of the crops of validation that are below it.
        uncertain_below: shown confidence under which people are told that it is uncertain.
    """

    temperatures: dict[str, float]
    chosen: Choice
    shown: Mix
    choices: tuple[Choice, ...]
    mirror_below: float
    mirror_share: float
    uncertain_below: float

    def applied_to(self, manifest: Manifest) -> Manifest:
        """The same model, used as calibrated."""
        return replace(
            manifest,
            heads={
                name: replace(head, temperature=self.temperatures[name])
                for name, head in manifest.heads.items()
            },
            shown=self.shown,
            mirror_below=self.mirror_below,
            uncertain_below=self.uncertain_below,
        )

    def as_manifest(self, heads: Mapping[str, Head]) -> dict[str, Any]:
        """The part of the manifest that it decides, beside the classes of `heads`."""
        return {
            "heads": {
                name: {"temperature": self.temperatures[name], "classes": head.classes}
                for name, head in heads.items()
            },
            "shown": {
                **self.chosen.as_manifest(),
                "temperature": self.shown.temperature,
                "mirror_below": self.mirror_below,
                "mirror_share": self.mirror_share,
                "uncertain_below": self.uncertain_below,
                "confident_agreement_wanted": CONFIDENT_AGREEMENT,
                "choices": [
                    {
                        **choice.as_manifest(),
                        "macro_f1": choice.macro_f1,
                        **({} if choice.accuracy is None else {"accuracy": choice.accuracy}),
                    }
                    for choice in self.choices
                ],
            },
        }


def calibrate_classifier(
    classifier: EmotionClassifier, examples: Examples, *, with_votes: bool
) -> Calibration:
    """Calibrate the model as it is served, on the validation part.

    Args:
        classifier: what is calibrated here of its manifest is not used.
        examples: with the labels of both sources.
        with_votes: False where the taggers' votes were not given.
    """
    images = examples.images
    logits = [classifier.logits(view) for view in (images, images[:, :, ::-1])]
    manifest = classifier.manifest
    return calibrate(
        {head: np.stack([view[head] for view in logits]) for head in manifest.heads},
        examples.targets,
        true_labels(examples, manifest.labels, with_votes=with_votes),
        manifest.heads,
        manifest.labels,
    )


def recalibrate(
    manifest_path: Path, data: Dataset, *, with_votes: bool, num_threads: int = 2
) -> dict[str, Any]:
    """Calibrate a model that is already exported and put the outcome into its manifest.

    Figures on test are dropped: they are of what was shown before.

    Returns:
        The manifest's new content.

    Raises:
        ModelError: the model is missing or does not fit its manifest.
        ValueError: the data are not those that the model was trained from.
    """
    manifest = read_manifest(manifest_path)
    content = dict(manifest.content)
    if data.fingerprint != content["training"]["data"]["fingerprint"]:
        raise ValueError("these are not the files that the model was trained from")
    classifier = EmotionClassifier(manifest, num_threads=num_threads)
    calibration = calibrate_classifier(classifier, data.validation, with_votes=with_votes)
    classifier.manifest = calibration.applied_to(manifest)
    before = content["validation"]
    content |= calibration.as_manifest(manifest.heads)
    content["validation"] = evaluate(
        classifier,
        data.validation,
        part="validation",
        data_fingerprint=data.fingerprint,
        with_votes=with_votes,
    )
    if "against_float" in before:
        content["validation"]["against_float"] = before["against_float"]
    content.pop("evaluation", None)
    write_manifest(manifest_path, content)
    return content


def calibrate(
    logits: Mapping[str, NDArray[np.float32]],
    targets: Mapping[str, NDArray[np.float32]],
    truths: Mapping[str, NDArray[np.intp]],
    heads: Mapping[str, Head],
    labels: Sequence[str],
) -> Calibration:
    """Fit temperatures, weigh the heads and choose the mark of uncertainty.

    Args:
        logits: for each head ``(2, n, number of its classes)``, of the crops and of their mirror
            images.
        targets: for each head ``(n, number of its classes)``, the distribution it learned; rows
            of zeros are left out.
        truths: for each source of labels int ``(n,)``, see ``evaluate.true_labels``.
        heads: which label each of their classes belongs to.
        labels: what people are shown.

    Raises:
        ValueError: a head or a source has no labelled example.
    """
    temperatures = {head: fit_temperature(values, targets[head]) for head, values in logits.items()}
    probabilities = {
        head: as_labels(mean_probabilities(values, temperatures[head]), heads[head], labels)
        for head, values in logits.items()
    }
    chosen, choices = choose_mix(probabilities, truths, labels)
    # What is shown claims how many people would call the face so: where the taggers were asked,
    # it is held to them, and to the data set's own labels otherwise.
    *_, (source, truth) = truths.items()
    temperature = fit_mix_temperature(mixed(probabilities, chosen.mix(labels)), truth)
    shown = chosen.mix(labels, temperature)
    first = {
        head: as_labels(softmax(values[0], temperatures[head]), heads[head], labels)
        for head, values in logits.items()
    }
    mirror_below = choose_mirror_below(mixed(first, shown), mixed(probabilities, shown))
    doubtful = in_doubt(first, shown, mirror_below)
    served = {
        head: np.where(doubtful[:, np.newaxis], probabilities[head], first[head]) for head in first
    }
    (asked,) = (head for head, asked in HEAD_SOURCES.items() if asked == source)
    said = as_labels(targets[asked], heads[asked], labels)
    uncertain_below = choose_uncertain_below(mixed(served, shown), said)
    return Calibration(
        temperatures,
        chosen,
        shown,
        choices,
        mirror_below,
        round(float(doubtful.mean()), 4),
        uncertain_below,
    )


def mean_probabilities(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Probabilities ``(n, k)`` from logits ``(views, n, k)``, averaged over the views."""
    mean: NDArray[np.float32] = np.mean([softmax(view / temperature) for view in logits], axis=0)
    return mean


def fit_temperature(logits: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """The temperature with the least negative log-likelihood of the averaged probabilities.

    Args:
        logits: ``(views, n, k)``.
        targets: ``(n, k)`` distributions; rows of zeros are left out.

    Raises:
        ValueError: all rows are zeros.
    """
    labelled = targets.sum(axis=1) > 0
    if not labelled.any():
        raise ValueError("no example to fit the temperature on")
    logits, targets = logits[:, labelled], targets[labelled]
    return _least(lambda temperature: _log_loss(mean_probabilities(logits, temperature), targets))


def fit_mix_temperature(mean: NDArray[np.float32], truth: NDArray[np.intp]) -> float:
    """The temperature of :class:`Mix` with the least negative log-likelihood of true labels.

    Args:
        mean: ``(n, k)``, the weighted mean of the heads' probabilities.
        truth: int ``(n,)``; :data:`UNLABELLED` rows are left out.

    Raises:
        ValueError: no example is labelled.
    """
    labelled = truth != UNLABELLED
    if not labelled.any():
        raise ValueError("no example to fit the temperature on")
    logarithms = np.log(np.maximum(mean[labelled], 1e-12))
    targets = np.eye(mean.shape[1], dtype=np.float32)[truth[labelled]]
    return _least(lambda temperature: _log_loss(softmax(logarithms, temperature), targets))


def choose_mix(
    probabilities: Mapping[str, NDArray[np.float32]],
    truths: Mapping[str, NDArray[np.intp]],
    labels: Sequence[str],
) -> tuple[Choice, tuple[Choice, ...]]:
    """Weigh the heads, and *other*, so that the figure that is worst off comes off best.

    The two sources disagree on a quarter of the images, so what is gained by one is lost by the
    other. Each figure is compared with what is wanted of it (`wanted`): the raw ones are lower by
    one source than by the other for any model, so comparing those would serve that source alone.
    Where two choices are alike in their worst figure, the next worst decides.

    Returns:
        The choice, and all that were tried.

    Raises:
        ValueError: there are more than two heads.
    """
    choices = []
    for weights in _weight_choices(list(probabilities)):
        for factor in OTHER_FACTORS if OTHER in labels else (1.0,):
            choice = Choice(weights, factor, {}, None)
            shown = mixed(probabilities, choice.mix(labels))
            of_those, named = of_named(shown, labels)
            macro_f1 = {
                source: measure(of_those, among(truth, labels, named), named)["macro_f1"]
                for source, truth in truths.items()
            }
            accuracy = None
            if OTHER in labels and "ferplus" in truths:
                accuracy = measure(shown, truths["ferplus"], labels)["accuracy"]
            choices.append(replace(choice, macro_f1=macro_f1, accuracy=accuracy))
    return max(choices, key=lambda choice: choice.margins), tuple(choices)


def choose_mirror_below(first: NDArray[np.float32], mean: NDArray[np.float32]) -> float:
    """The lowest confidence, in hundredths, under which mirror images have to be looked at.

    Args:
        first: what is shown from one view alone, ``(n, k)``.
        mean: what is shown from both views, ``(n, k)``. Where the first view is at least as sure
            as the answer, it must give the label of `mean` on :data:`MIRROR_AGREEMENT` of all.
    """
    confidence, same = first.max(axis=1), first.argmax(axis=1) == mean.argmax(axis=1)
    for hundredths in range(100):
        if np.mean(same | (confidence < hundredths / 100)) >= MIRROR_AGREEMENT:
            return hundredths / 100
    return 1.0


def choose_uncertain_below(shown: NDArray[np.float32], said: NDArray[np.float32]) -> float:
    """The lowest confidence, in hundredths, from which people agree with a prediction.

    Args:
        shown: ``(n, k)``, what is shown.
        said: ``(n, k)``, the shares of people who gave each label; rows of zeros are left out.

    Returns:
        The lowest value in :data:`UNCERTAIN_RANGE` from which the label that is shown is, in the
        mean, that of :data:`CONFIDENT_AGREEMENT` of the people. Where none is, the upper end:
        such a model is hardly ever to be believed.
    """
    lowest, highest = (round(100 * end) for end in UNCERTAIN_RANGE)
    asked = said.sum(axis=1) > 0
    confidence = shown.max(axis=1)[asked]
    agreement = np.take_along_axis(said, shown.argmax(axis=1)[:, np.newaxis], axis=1)[asked, 0]
    for hundredths in range(lowest, highest):
        sure = confidence >= hundredths / 100
        if sure.any() and agreement[sure].mean() >= CONFIDENT_AGREEMENT:
            return hundredths / 100
    return highest / 100


def _weight_choices(heads: Sequence[str]) -> list[dict[str, float]]:
    if len(heads) == 1:
        return [{heads[0]: 1.0}]
    if len(heads) != 2:
        raise ValueError(f"two heads can be weighed, not {len(heads)}")
    shares = [round(1 - i / WEIGHT_STEPS, 4) for i in range(WEIGHT_STEPS + 1)]
    both = [dict(zip(heads, (share, round(1 - share, 4)), strict=True)) for share in shares]
    return [{head: weight for head, weight in weights.items() if weight} for weights in both]


def _least(loss: Callable[[float], float]) -> float:
    """The temperature with the least loss.

    Searches a grid of ratios, then a finer one round the best: the loss has one minimum and
    the answer needs no more than three digits.
    """
    best = min(np.geomspace(0.1, 10.0, 41), key=loss)
    best = min(best * np.geomspace(0.88, 1.14, 53), key=loss)
    return round(float(best), 4)


def _log_loss(probabilities: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    return float(-(targets * np.log(probabilities + 1e-12)).sum(axis=1).mean())
