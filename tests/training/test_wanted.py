"""The table of what is wanted beside what is reached."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from recognition.training import wanted
from recognition.training.model_card import card
from recognition.training.record import read_beside

MODELS = settings.BASE_DIR / "models"


@pytest.fixture
def content():
    """The shipped manifest with figures on test that reach everything."""
    content = json.loads((MODELS / "emotion_vgg16.json").read_text())
    test = copy.deepcopy(content["evaluation"])
    for source in test["sources"].values():
        source["named"]["heads_without_repeats"] = {
            head: {"n": 1, "share": 1.0, "accuracy": 0.9} for head in source["heads"]
        }
        for figures in (
            source["shown"],
            source["named"]["shown"],
            *source["named"]["heads"].values(),
        ):
            figures |= {"accuracy": 0.95, "macro_f1": 0.93, "expected_calibration_error": 0.01}
        if "other" not in source["shown"]["classes"]:
            confusion = np.array(source["shown"]["confusion_matrix"])
            source["shown"]["confusion_matrix"] = np.pad(confusion, (0, 1)).tolist()
        source["shown"]["classes"]["other"] = {
            "precision": 0.8,
            "recall": 0.7,
            "f1": 0.75,
            "support": 580,
        }
    test["against_float"] = {
        "n": 100,
        "agreement": {"fer2013": 0.995, "consensus": 0.999},
        "accuracy_lost": {"fer2013": -0.001, "consensus": 0.002},
    }
    test["label_stability"] = {
        "n": 100,
        "n_images": 120,
        "share": 0.96,
        "jitters": {},
        "between_detectors": {"n": 90, "share": 0.96},
    }
    test["wild"] = {
        "n": 10,
        "found": 9,
        "accuracy": 0.9,
        "expected_calibration_error": 0.03,
        "happy_and_neutral": {"n": 5, "share": 0.5, "accuracy": 0.9},
        "angry_admitted": {"n": 2, "share": 0.2, "accuracy": 0.7},
        "classes": {
            "angry": {"n": 2, "found": 2, "labels": {"happy": 0, "other": 2}, "uncertain": 1}
        },
    }
    labels = list(dict.fromkeys([*content["labels"], "other"]))
    return {**content, "labels": labels, "evaluation": test}


@pytest.fixture
def latency(content):
    return {
        "model_version": content["version"],
        "milliseconds": 2.0,
        "one_view_milliseconds": 1.5,
        "all_views_milliseconds": 3.0,
        "one_core_milliseconds": 2.5,
        "keras_milliseconds": 80.0,
        "times_as_fast": 40.0,
        "machine": {"processor": "a processor", "load_before": 0.1},
    }


def line(lines, start):
    (found,) = [line for line in lines if line.name.startswith(start)]
    return found


def test_everything_reached_is_met(content, latency):
    lines = wanted.lines(content, latency)
    assert {line.verdict for line in lines} == {"met"}
    assert line(lines, "accuracy that int8 loses").measured == "0.2%"
    assert line(lines, "one face, 2 threads").measured == "40 ×"


@pytest.mark.parametrize(
    ("start", "change"),
    [
        (
            "FER-2013 labels: `fer2013` head",
            lambda t: t["sources"]["fer2013"]["named"]["heads"]["fer2013"].update(accuracy=0.8),
        ),
        (
            "what is shown, of four: macro-F1 by FER+",
            lambda t: t["sources"]["ferplus"]["named"]["shown"].update(macro_f1=0.87),
        ),
        (
            "what is shown, five labels",
            lambda t: t["sources"]["ferplus"]["shown"].update(accuracy=0.87),
        ),
        (
            "the same: F1 of *other*",
            lambda t: t["sources"]["ferplus"]["shown"]["classes"]["other"].update(f1=0.59),
        ),
        (
            "the same: calibration error",
            lambda t: t["sources"]["ferplus"]["shown"].update(expected_calibration_error=0.04),
        ),
        (
            "photos in the wild: angry",
            lambda t: t["wild"]["angry_admitted"].update(accuracy=0.2),
        ),
        (
            "labels that stay between",
            lambda t: t["label_stability"]["between_detectors"].update(share=0.9),
        ),
        ("int8 and float32", lambda t: t["against_float"]["agreement"].update(consensus=0.98)),
        ("labels that stay when", lambda t: t["label_stability"].update(share=0.94)),
    ],
)
def test_each_figure_alone_can_miss(content, latency, start, change):
    change(content["evaluation"])
    lines = wanted.lines(content, latency)
    assert [found.name for found in lines if found.met is False] == [line(lines, start).name]


def test_what_was_not_measured_on_test_is_not_met(content):
    del content["evaluation"]
    lines = wanted.lines(content, None)
    assert {line.verdict for line in lines} == {"not measured"}
    assert {line.measured for line in lines} == {""}


def test_a_model_without_other_is_not_measured_by_it(content):
    content["labels"].remove("other")
    found = line(wanted.lines(content, None), "the same: F1 of *other*")
    assert found.verdict == "not measured"


def test_the_card_says_what_becomes_of_each_class(content):
    written = card(content)
    angry = content["evaluation"]["sources"]["fer2013"]["classes_shown"]["angry"]
    assert f"| angry | {angry['n']:,} |" in written
    assert "| angry | 2 | 2 | 0 | 2 | 1 |" in written


def test_a_speed_of_another_model_does_not_count(content, latency):
    lines = wanted.lines(content, {**latency, "model_version": "vgg16-other"})
    assert line(lines, "one face on one core").met is None
    assert "a processor" not in card(content, latency={**latency, "model_version": "vgg16-other"})


def test_the_card_shows_the_same_table(content, latency):
    written = card(content, latency=latency)
    for found in wanted.lines(content, latency):
        row = [found.name, found.wanted, found.aim, found.measured, found.verdict]
        assert f"| {' | '.join(row)} |" in written


def test_the_card_tells_what_each_step_gave(content):
    steps = {
        "about": "Runs that were made.",
        "tables": [
            {
                "about": "First one thing, then another.",
                "of": "step",
                "columns": [
                    {"name": "accuracy", "unit": "share"},
                    {"name": "macro-F1", "unit": "score"},
                    {"name": "epochs", "unit": "count"},
                ],
                "rows": [{"step": "baseline", "figures": [0.5, 0.4567, None]}],
            }
        ],
    }
    written = card(content, steps=steps)
    assert "Runs that were made." in written
    assert "| step | accuracy | macro-F1 | epochs |" in written
    assert "| baseline | 50.0% | 0.457 | – |" in written
    assert "What each step gave" not in card(content)


def test_the_command_prints_the_shipped_figures(capsys):
    call_command("model_figures")
    printed = capsys.readouterr().out
    content = json.loads((MODELS / "emotion_vgg16.json").read_text())
    for found in wanted.lines(content, read_beside(MODELS / wanted.LATENCY_FILE)):
        (row,) = [row for row in printed.splitlines() if row.startswith(found.name)]
        assert row.endswith(found.verdict)
        assert found.measured in row


def test_a_missing_model_is_told(tmp_path):
    with pytest.raises(CommandError, match="No trained model"):
        call_command("model_figures", manifest=tmp_path / "missing.json")
