"""Make probabilities honest and decide what people are shown; all of it on validation.

Temperature scaling: Guo et al. 2017, "On Calibration of Modern Neural Networks". One divisor of
the logits for each head changes no ranking within an image, only how sure the head claims to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.training.evaluate import UNLABELLED, measure, measure_part
from recognition.vision.classification import softmax

#: A prediction that is not marked uncertain should be right at least this often ...
CONFIDENT_ACCURACY = 0.8
#: ... and its label more probable than all others together; above the upper end the mark would
#: hide nearly everything.
UNCERTAIN_RANGE = (0.5, 0.95)


@dataclass(frozen=True)
class Calibration:
    """What validation decided.

    Attributes:
        temperatures: head to divisor of its logits.
        shown_heads: the heads whose mean probability people are shown.
        scores: each choice of heads, joined by ``+``, to the worse of its macro-F1 figures.
        uncertain_below: shown confidence under which people are told that it is uncertain.
    """

    temperatures: dict[str, float]
    shown_heads: tuple[str, ...]
    scores: dict[str, float]
    uncertain_below: float


def calibrate(
    logits: Mapping[str, NDArray[np.float32]],
    targets: Mapping[str, NDArray[np.float32]],
    truths: Mapping[str, NDArray[np.intp]],
) -> Calibration:
    """Fit temperatures, choose the heads to show and the mark of uncertainty.

    Args:
        logits: for each head ``(views, n, number of labels)``; probabilities are averaged over
            the views (the crop and its mirror image), as in serving.
        targets: for each head ``(n, number of labels)``, the distribution it learned; rows of
            zeros are left out.
        truths: for each source of labels int ``(n,)``, see ``evaluate.true_labels``.

    Raises:
        ValueError: a head or a source has no labelled example.
    """
    temperatures = {head: fit_temperature(values, targets[head]) for head, values in logits.items()}
    probabilities = {
        head: mean_probabilities(values, temperatures[head]) for head, values in logits.items()
    }
    shown_heads, scores = choose_shown(probabilities, truths)
    shown = np.mean([probabilities[head] for head in shown_heads], axis=0)
    return Calibration(temperatures, shown_heads, scores, choose_uncertain_below(shown, truths))


def mean_probabilities(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Probabilities ``(n, k)`` from logits ``(views, n, k)``, averaged over the views."""
    mean: NDArray[np.float32] = np.mean([softmax(view / temperature) for view in logits], axis=0)
    return mean


def fit_temperature(logits: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """The temperature with the least negative log-likelihood of the averaged probabilities.

    Searches a grid of ratios, then a finer one round the best: the loss has one minimum and
    the answer needs no more than three digits.

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

    def loss(temperature: float) -> float:
        probabilities = mean_probabilities(logits, temperature)
        return float(-(targets * np.log(probabilities + 1e-12)).sum(axis=1).mean())

    best = min(np.geomspace(0.1, 10.0, 41), key=loss)
    best = min(best * np.geomspace(0.88, 1.14, 53), key=loss)
    return round(float(best), 4)


def choose_shown(
    probabilities: Mapping[str, NDArray[np.float32]], truths: Mapping[str, NDArray[np.intp]]
) -> tuple[tuple[str, ...], dict[str, float]]:
    """Choose each head alone or all of them by the worse of the macro-F1 figures.

    The two sources of labels disagree on a quarter of the images; what does well by one alone
    would only repeat that one's habits.

    Returns:
        The chosen heads, and the score of every choice.
    """
    choices: list[tuple[str, ...]] = [(head,) for head in probabilities]
    if len(choices) > 1:
        choices.append(tuple(probabilities))
    scores = {}
    for choice in choices:
        shown = np.mean([probabilities[head] for head in choice], axis=0)
        names = [str(i) for i in range(shown.shape[1])]
        scores[choice] = min(measure(shown, truth, names)["macro_f1"] for truth in truths.values())
    best = max(choices, key=scores.__getitem__)
    return best, {"+".join(choice): score for choice, score in scores.items()}


def choose_uncertain_below(
    shown: NDArray[np.float32], truths: Mapping[str, NDArray[np.intp]]
) -> float:
    """The lowest confidence, in hundredths, from which predictions are right often enough.

    "Often enough" is :data:`CONFIDENT_ACCURACY` by every source of labels. Where no value in
    :data:`UNCERTAIN_RANGE` reaches it, the upper end is returned: such a model is hardly ever
    to be believed.
    """
    lowest, highest = (round(100 * end) for end in UNCERTAIN_RANGE)
    confidence, predicted = shown.max(axis=1), shown.argmax(axis=1)
    for hundredths in range(lowest, highest):
        threshold = hundredths / 100
        parts = [
            measure_part(predicted == truth, (truth != UNLABELLED) & (confidence >= threshold))
            for truth in truths.values()
        ]
        if all(part["accuracy"] >= CONFIDENT_ACCURACY for part in parts):
            return threshold
    return highest / 100
