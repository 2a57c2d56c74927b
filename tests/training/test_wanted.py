"""The table of what is wanted beside what is reached."""

from __future__ import annotations

import copy
import json

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
    test = copy.deepcopy(content["validation"])
    for source in test["sources"].values():
        for figures in (source["shown"], *source["heads"].values()):
            figures |= {"accuracy": 0.95, "macro_f1": 0.93, "expected_calibration_error": 0.01}
            for values in figures["classes"].values():
                values["f1"] = 0.91
        source["heads_without_repeats"] = {
            head: {"n": 1, "share": 1.0, "accuracy": 0.9} for head in source["heads"]
        }
    test["against_float"] = {
        "n": 100,
        "agreement": {"fer2013": 0.995, "consensus": 0.999},
        "accuracy_lost": {"fer2013": -0.001, "consensus": 0.002},
    }
    test["label_stability"] = {"n": 100, "n_images": 120, "share": 0.96, "jitters": {}}
    return {**content, "evaluation": test}


@pytest.fixture
def latency(content):
    return {
        "model_version": content["version"],
        "milliseconds": 2.0,
        "one_view_milliseconds": 1.5,
        "two_views_milliseconds": 3.0,
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
    assert line(lines, "one face").measured == "40 ×"


@pytest.mark.parametrize(
    ("start", "change"),
    [
        (
            "`fer2013` head",
            lambda t: t["sources"]["fer2013"]["heads"]["fer2013"].update(accuracy=0.8),
        ),
        (
            "the same head's F1 of *sad*",
            lambda t: t["sources"]["fer2013"]["heads"]["fer2013"]["classes"]["sad"].update(f1=0.7),
        ),
        (
            "what is shown: calibration error",
            lambda t: t["sources"]["ferplus"]["shown"].update(expected_calibration_error=0.04),
        ),
        (
            "what is shown: macro-F1 by FER+",
            lambda t: t["sources"]["ferplus"]["shown"].update(macro_f1=0.87),
        ),
        ("int8 and float32", lambda t: t["against_float"]["agreement"].update(consensus=0.98)),
        ("labels that stay", lambda t: t["label_stability"].update(share=0.94)),
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


def test_a_speed_of_another_model_does_not_count(content, latency):
    lines = wanted.lines(content, {**latency, "model_version": "vgg16-other"})
    assert line(lines, "one face").met is None
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
