from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from recognition.training.dataset import Examples
from recognition.training.evaluate import (
    evaluate,
    measure_against_float,
    of_named,
    true_labels,
)
from recognition.training.figures import UNLABELLED, measure
from recognition.vision.manifest import Mix

LABELS = ("happy", "sad", "surprise", "neutral")


def certain(predicted, confidence=1.0, n_labels=4):
    """Probabilities with `confidence` for the predicted label and the rest shared out."""
    rest = (1 - confidence) / (n_labels - 1)
    probabilities = np.full((len(predicted), n_labels), rest, np.float32)
    probabilities[np.arange(len(predicted)), predicted] = confidence
    return probabilities


def examples(labels, favourites):
    """Examples with the given labels and unanimous votes; None is unlabelled."""
    n = len(labels)
    label_targets, vote_targets = np.zeros((n, 7), np.float32), np.zeros((n, 8), np.float32)
    for i, (label, favourite) in enumerate(zip(labels, favourites, strict=True)):
        if label is not None:
            label_targets[i, label] = 1
        if favourite is not None:
            vote_targets[i, favourite] = 1
    images = np.zeros((n, 48, 48), np.uint8)
    images += np.arange(n, dtype=np.uint8)[:, None, None]
    return Examples(images, label_targets, vote_targets, vote_targets.sum(axis=1) > 0)


class StubClassifier:
    """Looks predictions up by the grey level of the image; the heads may differ."""

    def __init__(self, labels=LABELS, **predictions):
        self._predictions = {head: np.array(values) for head, values in predictions.items()}
        self.manifest = SimpleNamespace(
            version="stub-1",
            labels=labels,
            shown=Mix({head: 1 / len(predictions) for head in predictions}),
            mirror_below=0.6,
            uncertain_below=0.5,
        )

    def head_probabilities(self, crops_gray):
        index = crops_gray[:, 0, 0]
        n_labels = len(self.manifest.labels)
        return {
            head: certain(values[index], 0.7, n_labels)
            for head, values in self._predictions.items()
        }


def run(classifier, given, **options):
    options = {"with_votes": True, **options}
    return evaluate(classifier, given, part="test", data_fingerprint="f", **options)


def test_figures_of_a_known_confusion():
    truth = np.array([0] * 4 + [1] * 3 + [2] * 2)
    predicted = np.array([0, 0, 0, 1, 1, 1, 0, 2, 2])

    figures = measure(certain(predicted), truth, LABELS)

    assert figures["confusion_matrix"] == [[3, 1, 0, 0], [1, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 0]]
    assert figures["n"] == 9
    assert figures["accuracy"] == pytest.approx(7 / 9, abs=1e-6)
    assert figures["classes"]["happy"] == {
        "precision": 0.75,
        "recall": 0.75,
        "f1": 0.75,
        "support": 4,
    }
    assert figures["classes"]["sad"]["precision"] == pytest.approx(2 / 3, abs=1e-6)
    assert figures["classes"]["surprise"]["f1"] == 1.0
    assert figures["classes"]["neutral"] == {
        "precision": 0.0,
        "recall": 0.0,
        "f1": 0.0,
        "support": 0,
    }
    assert figures["macro_f1"] == pytest.approx((0.75 + 2 / 3 + 1) / 4, abs=1e-6)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    truth = np.zeros(10, np.intp)
    predicted = np.array([0] * 6 + [1] * 4)

    figures = measure(certain(predicted, 0.9), truth, LABELS)

    assert figures["expected_calibration_error"] == pytest.approx(0.3, abs=1e-5)
    (used,) = [entry for entry in figures["calibration_bins"] if entry["n"]]
    assert used["lower"] < 0.9 < used["upper"]
    assert used["accuracy"] == pytest.approx(0.6)


def test_calibration_error_weighs_bins_by_their_predictions():
    truth = np.zeros(4, np.intp)
    probabilities = np.concatenate([certain([0, 0, 0], 1.0), certain([1], 0.5)])

    figures = measure(probabilities, truth, LABELS)

    assert len(figures["calibration_bins"]) == 15
    assert figures["calibration_bins"][-1]["n"] == 3
    assert figures["expected_calibration_error"] == pytest.approx(0.5 / 4, abs=1e-6)


def test_unlabelled_examples_are_left_out():
    figures = measure(certain([0, 1]), np.array([0, UNLABELLED]), LABELS)
    assert (figures["n"], figures["accuracy"]) == (1, 1.0)
    with pytest.raises(ValueError, match="labelled"):
        measure(certain([0]), np.array([UNLABELLED]), LABELS)


def test_an_image_filed_under_two_labels_counts_as_unlabelled():
    given = examples([0], [1])
    given.label_targets[0, :2] = 0.5

    truths = true_labels(given, LABELS, with_votes=True)

    assert truths["fer2013"].tolist() == [UNLABELLED]
    assert truths["ferplus"].tolist() == [1]


def test_both_sources_heads_and_the_shown_mean_are_measured():
    given = examples([0, 1, None, 3], [0, 3, 2, None])
    classifier = StubClassifier(fer2013=[0, 1, 2, 3], consensus=[0, 3, 2, 3])

    evaluation = run(classifier, given)

    fer2013, ferplus = evaluation["sources"]["fer2013"], evaluation["sources"]["ferplus"]
    assert fer2013["heads"]["fer2013"]["accuracy"] == 1.0
    assert ferplus["heads"]["consensus"]["accuracy"] == 1.0
    assert fer2013["heads"]["consensus"]["n"] == ferplus["shown"]["n"] == 3
    assert evaluation["agreement"] == {"n": 2, "share": 0.5, "accuracy": 0.5}
    # Where the heads disagree the mean is 0.4 for both: called uncertain.
    assert ferplus["confident"]["n"] == 2
    assert ferplus["confident"]["accuracy"] == 1.0


def test_classes_without_a_word_are_other():
    """Angry, disgusted, contemptuous: other; a model without that label is not measured by them."""
    given = examples([0, 4, 5, 0], [0, 4, 0, 7])
    with_other = run(StubClassifier((*LABELS, "other"), fer2013=[0, 4, 1, 4]), given)
    without = run(StubClassifier(fer2013=[0, 3, 1, 1]), given)

    source = with_other["sources"]["fer2013"]
    assert source["shown"]["n"] == 4
    assert source["shown"]["classes"]["other"]["recall"] == 0.5
    assert source["named"]["shown"]["n"] == 2
    assert source["classes_shown"]["disgust"] == {
        "n": 1,
        "labels": {"happy": 0, "sad": 1, "surprise": 0, "neutral": 0, "other": 0},
        "uncertain": 0,
    }
    assert with_other["sources"]["ferplus"]["classes_shown"]["contempt"]["labels"]["other"] == 1
    assert without["sources"]["fer2013"]["shown"]["n"] == 2
    assert without["sources"]["fer2013"]["classes_shown"]["angry"]["labels"]["neutral"] == 1


def test_of_four_is_renormalised_without_other():
    probabilities = np.array([[0.1, 0.3, 0.0, 0.0, 0.6]], np.float32)
    four, labels = of_named(probabilities, (*LABELS, "other"))
    assert labels == list(LABELS)
    assert four == pytest.approx(np.array([[0.25, 0.75, 0, 0]]))
    same, _ = of_named(four, LABELS)
    assert same == pytest.approx(four)


def test_repeats_of_train_are_also_left_out():
    given = examples([0, 0, 0], [0, 0, 0])
    repeated = np.array([True, True, False])
    classifier = StubClassifier(fer2013=[0, 0, 1])

    evaluation = run(classifier, given, repeated=repeated)

    source = evaluation["sources"]["fer2013"]
    assert source["shown"]["accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert source["without_repeats"] == {
        "n": 1,
        "share": pytest.approx(1 / 3, abs=1e-6),
        "accuracy": 0.0,
    }
    assert source["named"]["heads_without_repeats"] == {"fer2013": source["without_repeats"]}


def test_the_record_says_how_the_heads_were_weighed():
    evaluation = run(StubClassifier(fer2013=[0], consensus=[0]), examples([0], [0]))
    assert evaluation["shown"] == {
        "weights": {"fer2013": 0.5, "consensus": 0.5},
        "temperature": 1.0,
        "factors": (),
    }
    assert evaluation["mirror_below"] == 0.6


def test_what_int8_costs_is_counted_by_each_heads_own_labels():
    truths = {"fer2013": np.array([0, 1, 2, UNLABELLED]), "ferplus": np.array([0, 0, 0, 0])}
    exact = {"fer2013": certain([0, 1, 2, 3]), "consensus": certain([1, 0, 0, 0])}
    served = {"fer2013": certain([0, 1, 3, 3]), "consensus": certain([0, 0, 0, 0])}

    found = measure_against_float(served, exact, truths)

    assert found["agreement"] == {"fer2013": 0.75, "consensus": 0.75}
    assert found["accuracy_lost"]["fer2013"] == pytest.approx(1 / 3, abs=1e-6)
    assert found["accuracy_lost"]["consensus"] == -0.25
    without_votes = measure_against_float(served, exact, {"fer2013": truths["fer2013"]})
    assert set(without_votes["accuracy_lost"]) == {"fer2013"}


def test_without_votes_only_the_labels_are_a_source():
    evaluation = run(StubClassifier(fer2013=[0]), examples([0], [None]), with_votes=False)
    assert list(evaluation["sources"]) == ["fer2013"]
    assert "agreement" not in evaluation


def test_progress_counts_every_labelled_example():
    counts: list[int] = []
    given = examples([0] * 200 + [None], [0] * 200 + [None])
    run(StubClassifier(fer2013=[0] * 201), given, progress=counts.append)
    assert sum(counts) == 200


def test_evaluation_needs_neither_torch_nor_django():
    code = (
        "import sys\n"
        "import recognition.training.calibrate, recognition.training.dataset\n"
        "import recognition.training.evaluate, recognition.training.record\n"
        "import recognition.training.report\n"
        "print({'keras', 'tensorflow', 'torch', 'django'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"
