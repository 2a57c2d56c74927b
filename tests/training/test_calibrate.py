from __future__ import annotations

import numpy as np
import pytest

from recognition.training.calibrate import (
    CONFIDENT_AGREEMENT,
    MIRROR_AGREEMENT,
    UNCERTAIN_RANGE,
    calibrate,
    choose_mirror_below,
    choose_mix,
    choose_uncertain_below,
    fit_mix_temperature,
    fit_temperature,
    mean_probabilities,
)
from recognition.training.dataset import OTHER
from recognition.training.figures import UNLABELLED, measure
from recognition.training.wanted import SHOWN_MACRO_F1
from recognition.vision.classification import mixed, softmax
from recognition.vision.manifest import Head, Mix

LABELS = ("happy", "sad", "surprise", "neutral")


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


def disagreeing(n=4000, seed=0):
    """Two heads that each follow one source of labels, which differ on some of the images."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n)
    others = np.where(rng.random(n) < 0.3, rng.integers(0, 4, n), labels)
    heads = {
        head: softmax(2 * one_hot(truth) + rng.normal(0, 1, (n, 4)).astype(np.float32))
        for head, truth in (("fer2013", labels), ("consensus", others))
    }
    return heads, {"fer2013": labels, "ferplus": others}


def test_heads_are_weighed_so_that_the_source_worse_off_comes_off_best():
    heads, truths = disagreeing()

    chosen, choices = choose_mix(heads, truths, LABELS)

    for choice in choices:
        shown = mixed(heads, Mix(choice.weights))
        for source, truth in truths.items():
            assert choice.macro_f1[source] == measure(shown, truth, "abcd")["macro_f1"]
        assert choice.margins == sorted(
            choice.macro_f1[source] - SHOWN_MACRO_F1[source].limit for source in truths
        )
        assert sum(choice.weights.values()) == pytest.approx(1)
    assert choices[0].weights == {"fer2013": 1.0}
    assert choices[-1].weights == {"consensus": 1.0}
    assert chosen.margins[0] == max(choice.margins[0] for choice in choices)
    # More is wanted by FER+, so its head weighs more.
    assert 0 < chosen.weights["fer2013"] < chosen.weights["consensus"]


def test_other_is_named_less_often_where_it_was_named_too_often():
    rng = np.random.default_rng(0)
    labels = (*LABELS, OTHER)
    truth = rng.integers(0, 5, 4000)
    probabilities = softmax(1.5 * one_hot(truth, 5) + rng.normal(0, 1, (4000, 5)))
    probabilities = probabilities.astype(np.float32) * np.array([1, 1, 1, 1, 2], np.float32)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    heads = {"fer2013": probabilities, "consensus": probabilities}

    chosen, choices = choose_mix(heads, {"fer2013": truth, "ferplus": truth}, labels)

    assert chosen.other_factor == 0.5
    shown = mixed(heads, chosen.mix(labels))
    assert shown.sum(axis=1) == pytest.approx(1)
    assert chosen.accuracy == measure(shown, truth, labels)["accuracy"]
    assert chosen.accuracy == max(choice.accuracy for choice in choices)
    assert chosen.as_manifest()["factors"] == {OTHER: 0.5}


def test_one_head_is_shown_if_the_other_adds_nothing():
    truth = np.array([0, 1, 2, 3])
    perfect = one_hot(truth)
    heads = {"fer2013": perfect, "consensus": perfect}
    chosen, _ = choose_mix(heads, {"fer2013": truth}, LABELS)
    assert chosen.as_manifest() == {"weights": {"fer2013": 1.0}}


def test_the_mean_of_heads_that_disagree_is_made_as_sure_as_it_may_be():
    heads, truths = disagreeing()
    mean = mixed(heads, Mix({"fer2013": 0.3, "consensus": 0.7}))
    truth = truths["ferplus"]

    temperature = fit_mix_temperature(mean, truth)
    before, after = (
        measure(mixed({"mean": mean}, Mix({"mean": 1.0}, t)), truth, "abcd")
        for t in (1.0, temperature)
    )

    assert temperature < 1
    assert after["expected_calibration_error"] < 0.03 < before["expected_calibration_error"]
    assert after["confusion_matrix"] == before["confusion_matrix"]
    with pytest.raises(ValueError, match="no example"):
        fit_mix_temperature(mean, np.full(len(mean), UNLABELLED))


def test_a_mix_weighs_and_sharpens():
    heads = {"one": np.array([[0.8, 0.2]], np.float32), "two": np.array([[0.4, 0.6]], np.float32)}
    assert mixed(heads, Mix({"one": 0.5, "two": 0.5})) == pytest.approx(np.array([[0.6, 0.4]]))
    assert mixed(heads, Mix({"two": 1.0})) == pytest.approx(heads["two"])
    halved = mixed(heads, Mix({"two": 1.0}, factors=(1.0, 0.5)))
    assert halved == pytest.approx(np.array([[0.4, 0.3]]) / 0.7)
    sharpened = mixed(heads, Mix({"one": 0.5, "two": 0.5}, 0.5))
    assert sharpened == pytest.approx(np.array([[0.36, 0.16]]) / 0.52)
    certain = np.array([[1.0, 0.0]], np.float32)
    assert mixed({"one": certain}, Mix({"one": 1.0}, 0.5)) == pytest.approx(certain)


def confidences(values):
    """Two-label probabilities that all name label 0."""
    values = np.asarray(values, np.float32)
    return np.stack([values, 1 - values], axis=1)


def test_uncertain_below_is_where_enough_people_agree():
    shown = confidences([0.55] * 10 + [0.75] * 10)
    # Half of the people agree at 0.55, nine in ten at 0.75; 0.7 of them together.
    said = confidences([0.5] * 10 + [0.9] * 10)
    assert choose_uncertain_below(shown, said) == pytest.approx(0.56)
    # It is one figure for all that are left, not one for each.
    divided = confidences([0.5] * 10 + [1.0] * 10)
    assert choose_uncertain_below(shown, divided) == UNCERTAIN_RANGE[0]


def test_a_model_that_is_never_right_is_hardly_ever_believed():
    shown = confidences([0.6, 0.8, 0.99])
    assert choose_uncertain_below(shown, confidences([0, 0, 0])) == UNCERTAIN_RANGE[1]


def test_uncertain_below_ignores_unlabelled_examples():
    shown = confidences([0.6] * 5)
    said = confidences([1] * 5)
    said[2:] = 0
    assert choose_uncertain_below(shown, said) == UNCERTAIN_RANGE[0]


def test_mirror_images_are_looked_at_where_they_change_too_many_labels():
    first = confidences(np.linspace(0.5, 0.99, 2000))
    mean = first.copy()
    assert choose_mirror_below(first, mean) == 0
    allowed = round((1 - MIRROR_AGREEMENT) * len(first))
    surest = np.arange(len(first) - allowed, len(first))
    mean[surest] = mean[surest, ::-1]
    assert choose_mirror_below(first, mean) == 0
    one_more = (first[:, 0] > 0.7).argmax()
    mean[one_more] = mean[one_more, ::-1]
    assert choose_mirror_below(first, mean) == pytest.approx(0.71)


def test_where_every_label_changes_every_mirror_image_is_looked_at():
    first = confidences(np.full(10, 0.999))
    assert choose_mirror_below(first, first[:, ::-1]) == 1


def test_calibrate_keeps_its_own_promise():
    logits, labels = drawn()
    both_views = np.stack([logits, logits])
    calibration = calibrate(
        {"fer2013": 3 * both_views, "consensus": both_views},
        {"fer2013": one_hot(labels), "consensus": one_hot(labels)},
        {"fer2013": labels, "ferplus": labels},
        dict.fromkeys(("fer2013", "consensus"), Head({label: label for label in LABELS})),
        LABELS,
    )

    assert calibration.temperatures["fer2013"] == pytest.approx(3.0, rel=0.06)
    shown = mixed(
        {
            "fer2013": softmax(3 * logits, calibration.temperatures["fer2013"]),
            "consensus": softmax(logits, calibration.temperatures["consensus"]),
        },
        calibration.shown,
    )
    kept = shown.max(axis=1) >= calibration.uncertain_below
    assert (shown.argmax(axis=1) == labels)[kept].mean() >= CONFIDENT_AGREEMENT - 0.01
