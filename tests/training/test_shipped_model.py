"""The files in models/ belong together, and were measured."""

from __future__ import annotations

import json
import re

import pytest
from django.conf import settings

from recognition.training import wanted
from recognition.training.model_card import card
from recognition.training.record import read_beside
from recognition.training.report import STEPS_FILE
from recognition.vision.manifest import read_manifest

MODELS = settings.BASE_DIR / "models"


def test_model_manifest_and_card_agree():
    manifest = read_manifest(MODELS / "emotion_vgg16.json")
    written = (MODELS / "MODEL_CARD.md").read_text()
    plots = [line.split("](")[1].rstrip(")") for line in written.splitlines() if line[:2] == "!["]

    assert manifest.model_path.stat().st_size == manifest.content["artefact"]["bytes"]
    assert manifest.version == f"vgg16-{manifest.content['artefact']['sha256'][:8]}"
    assert written == card(
        manifest.content,
        plots,
        latency=read_beside(MODELS / wanted.LATENCY_FILE),
        steps=read_beside(MODELS / STEPS_FILE),
    )
    assert plots
    for plot in plots:
        assert (MODELS / plot).is_file()


def test_the_figures_are_of_the_test_part_of_the_data_it_was_trained_from():
    content = json.loads((MODELS / "emotion_vgg16.json").read_text())
    evaluation = content["evaluation"]

    assert evaluation["part"] == "test"
    assert evaluation["model_version"] == content["version"]
    for setting in ("mirror_below", "uncertain_below"):
        assert evaluation[setting] == content["shown"][setting]
    for setting in ("weights", "temperature"):
        assert evaluation["shown"][setting] == content["shown"][setting]
    assert evaluation["data_fingerprint"] == content["training"]["data"]["fingerprint"]
    shown = evaluation["sources"]["fer2013"]["named"]["shown"]
    assert shown["n"] == 5085
    right = sum(row[i] for i, row in enumerate(shown["confusion_matrix"]))
    assert shown["accuracy"] == pytest.approx(right / 5085, abs=1e-4)


def test_the_speed_is_that_of_the_model_that_ships():
    content = json.loads((MODELS / "emotion_vgg16.json").read_text())
    latency = read_beside(MODELS / wanted.LATENCY_FILE)

    assert latency is not None
    assert latency["model_version"] == content["version"]
    assert latency["times_as_fast"] == pytest.approx(
        latency["keras_milliseconds"] / latency["milliseconds"], rel=0.01
    )


def test_the_readme_tells_what_people_are_shown():
    """The figures of README are those that were measured, in whole tenths of a percent."""
    content = json.loads((MODELS / "emotion_vgg16.json").read_text())
    ferplus, fer2013 = (content["evaluation"]["sources"][name] for name in ("ferplus", "fer2013"))
    shares = (
        ferplus["shown"]["accuracy"],
        ferplus["named"]["shown"]["accuracy"],
        fer2013["named"]["shown"]["accuracy"],
    )
    readme = (settings.BASE_DIR / "README.md").read_text()
    (sentences,) = re.findall(
        "what people see of the model that ships is right\n(.*?)disagree\\.", readme, re.S
    )
    assert re.findall(r"[\d.]+%", sentences) == [f"{share:.1%}" for share in shares]


def test_the_models_stay_small():
    assert sum(file.stat().st_size for file in MODELS.rglob("*") if file.is_file()) < 50e6
