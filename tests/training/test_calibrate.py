from __future__ import annotations

import numpy as np
import pytest

from recognition.training.calibrate import (
    CONFIDENT_ACCURACY,
    UNCERTAIN_RANGE,
    calibrate,
    choose_shown,
    choose_uncertain_below,
    fit_temperature,
    mean_probabilities,
)
from recognition.training.evaluate import UNLABELLED, measure
from recognition.vision.classification import softmax


def one_hot(labels, n_labels=4):
    return np.eye(n_labels, dtype=np.float32)[labels]


def drawn(n=4000, seed=0):
    """Logits and labels that follow exactly the probabilities of those logits."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, 4)).astype(np.float32)
    cumulative = softmax(logits).cumsum(axis=1)
    labels = np.minimum((rng.random((n, 1)) > cumulative).sum(axis=1), 3)
    return logits, labels


@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_temperature_undoes_a_known_scale(factor):
    logits, labels = drawn()
    temperature = fit_temperature(factor * logits[np.newaxis], one_hot(labels))
    assert temperature == pytest.approx(factor, rel=0.06)


def test_temperature_leaves_out_examples_without_a_target():
    logits, labels = drawn()
    targets = one_hot(labels)
    targets[::2] = 0
    expected = fit_temperature(logits[np.newaxis, 1::2], targets[1::2])
    assert fit_temperature(logits[np.newaxis], targets) == expected
    with pytest.raises(ValueError, match="no example"):
        fit_temperature(logits[np.newaxis], np.zeros_like(targets))


def test_views_are_averaged_as_probabilities():
    logits = np.stack([drawn(8, seed)[0] for seed in (0, 1)])
    expected = (softmax(logits[0] / 2) + softmax(logits[1] / 2)) / 2
    assert mean_probabilities(logits, 2.0) == pytest.approx(expected)


def test_temperature_makes_confidence_honest():
    logits, labels = drawn()
    overconfident = 4 * logits[np.newaxis]
    temperature = fit_temperature(overconfident, one_hot(labels))

    before, after = (
        measure(mean_probabilities(overconfident, t), labels, "abcd")["expected_calibration_error"]
        for t in (1.0, temperature)
    )

    assert after < 0.03 < before


def test_heads_are_chosen_by_the_worse_source():
    truths = {"fer2013": np.array([0, 1, 2, 3]), "ferplus": np.array([0, 1, 3, 2])}
    repeats_fer2013 = one_hot([0, 1, 2, 3])
    balanced = one_hot([0, 1, 2, 2])

    chosen, scores = choose_shown({"fer2013": repeats_fer2013, "consensus": balanced}, truths)

    assert scores["fer2013"] == pytest.approx(0.5)
    assert scores["consensus"] > 0.5
    assert set(scores) == {"fer2013", "consensus", "fer2013+consensus"}
    assert chosen == max(
        [("fer2013",), ("consensus",), ("fer2013", "consensus")],
        key=lambda heads: scores["+".join(heads)],
    )


def test_one_head_is_shown_if_the_mean_adds_nothing():
    truth = np.array([0, 1, 2, 3])
    perfect = one_hot(truth)
    chosen, _ = choose_shown({"fer2013": perfect, "consensus": perfect}, {"fer2013": truth})
    assert chosen == ("fer2013",)


def confidences(values):
    """Two-label probabilities that all name label 0."""
    values = np.asarray(values, np.float32)
    return np.stack([values, 1 - values], axis=1)


def test_uncertain_below_is_where_predictions_become_right_often_enough():
    shown = confidences([0.55] * 10 + [0.75] * 10)
    # Right half of the time at 0.55, nine times in ten at 0.75; together 0.7.
    truth = np.array([0, 1] * 5 + [1] + [0] * 9)

    threshold = choose_uncertain_below(shown, {"fer2013": truth})

    assert threshold == pytest.approx(0.56)


def test_uncertain_below_holds_for_the_worse_source():
    shown = confidences([0.55] * 10 + [0.75] * 10)
    good = np.zeros(20, np.intp)
    worse = np.array([1] * 10 + [0] * 10)
    assert choose_uncertain_below(shown, {"fer2013": good}) == UNCERTAIN_RANGE[0]
    both = {"fer2013": good, "ferplus": worse}
    assert choose_uncertain_below(shown, both) == pytest.approx(0.56)


def test_a_model_that_is_never_right_is_hardly_ever_believed():
    shown = confidences([0.6, 0.8, 0.99])
    truth = np.array([1, 1, 1])
    assert choose_uncertain_below(shown, {"fer2013": truth}) == UNCERTAIN_RANGE[1]


def test_uncertain_below_ignores_unlabelled_examples():
    shown = confidences([0.6] * 5)
    truth = np.array([0, 0, UNLABELLED, UNLABELLED, UNLABELLED])
    assert choose_uncertain_below(shown, {"fer2013": truth}) == UNCERTAIN_RANGE[0]


def test_calibrate_keeps_its_own_promise():
    logits, labels = drawn()
    calibration = calibrate(
        {"fer2013": 3 * logits[np.newaxis], "consensus": logits[np.newaxis]},
        {"fer2013": one_hot(labels), "consensus": one_hot(labels)},
        {"fer2013": labels, "ferplus": labels},
    )

    assert calibration.temperatures["fer2013"] == pytest.approx(3.0, rel=0.06)
    shown = softmax(logits / calibration.temperatures["consensus"])
    kept = shown.max(axis=1) >= calibration.uncertain_below
    assert (shown.argmax(axis=1) == labels)[kept].mean() >= CONFIDENT_ACCURACY - 0.01
