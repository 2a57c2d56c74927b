"""One real training run: interrupted, resumed, exported, served, evaluated, described."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from numpy.typing import NDArray

from recognition.training.calibrate import mean_probabilities
from recognition.training.dataset import CLASSES, LABELS, load
from recognition.training.report import write_report, write_sample_sheet
from recognition.vision.classification import EmotionClassifier, as_labels, mixed, softmax
from recognition.vision.manifest import read_manifest

from .conftest import KaggleFolder

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("tensorflow", "torch")),
    reason="needs requirements/train.txt",
)

REPOSITORY = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("train_narrow.py")
#: As in `train_narrow`.
NARROW_BLOCKS = ((8, 8), (16, 16), (32, 32, 32), (32, 32, 32), (32, 32, 32))
VOTE_NAMES = {"happy": "happiness", "sad": "sadness", "surprise": "surprise", "neutral": "neutral"}


@dataclass
class Run:
    data: Path
    votes: Path
    checkpoints: Path
    models: Path
    interrupted: subprocess.CompletedProcess[str]

    @property
    def manifest_path(self) -> Path:
        return self.models / "emotion_vgg16.json"


def pattern(label: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Bars whose direction and width depend on the label, with noise."""
    y, x = np.mgrid[:48, :48]
    wave = [x, y, x + y, np.hypot(x - 24, y - 24)][label] * (0.3 + 0.1 * label)
    levels = 128 + 80 * np.sin(wave + rng.uniform(0, 6)) + rng.normal(0, 15, (48, 48))
    return np.clip(levels, 0, 255).astype(np.uint8)


def train(action: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, action, *paths],
        cwd=REPOSITORY,
        env={"PATH": "", "HOME": str(paths[0].parent), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    root = tmp_path_factory.mktemp("training")
    rng = np.random.default_rng(0)
    folder = KaggleFolder(root)
    for split, n in (("train", 128), ("test", 24)):
        for i in range(n):
            label = LABELS[i % 4]
            votes = {VOTE_NAMES[label]: 9, "anger": 1}
            folder.add(split, label, f"{i}.png", pattern(i % 4, rng), votes)
    paths = folder.path, folder.write_votes(), root / "checkpoints", root / "models"
    interrupted = train("interrupt", *paths)
    resumed = train("resume", *paths)
    assert resumed.returncode == 0, resumed.stderr
    return Run(*paths, interrupted)


def test_an_interrupted_run_is_resumed_where_it_stopped(run):
    assert "KeyboardInterrupt" in run.interrupted.stderr
    history = json.loads((run.models / "history.json").read_text())
    assert [entry["epoch"] for entry in history] == [0, 1]


def test_validation_sees_the_averaged_weights_with_statistics_that_fit_them(run):
    """What the last epoch reported is what the exported weights do."""
    history = json.loads((run.models / "history.json").read_text())
    validation = load(run.data, run.votes, validation_share=0.25).validation
    with np.load(run.models / "float.npz") as exact:
        right = exact["fer2013"].argmax(axis=1) == validation.label_targets.argmax(axis=1)
    assert right.mean() == pytest.approx(history[-1]["val_fer2013_accuracy"], abs=1e-6)


def test_the_manifest_describes_the_model(run):
    manifest = read_manifest(run.manifest_path)
    content = manifest.content

    assert manifest.labels == LABELS
    assert manifest.version == "vgg16-" + content["artefact"]["sha256"][:8]
    assert content["artefact"]["bytes"] == manifest.model_path.stat().st_size
    assert 0.5 <= content["shown"]["uncertain_below"] <= 0.95
    training = content["training"]
    assert training["data"]["classes"]["test"]["fer2013"] == {
        label: 6 if label in LABELS else 0 for label in CLASSES["fer2013"]
    }
    assert len(training["history"]) == 2
    assert training["versions"]["tensorflow"]
    assert set(content["validation"]["sources"]) == {"fer2013", "ferplus"}
    assert str(run.data.parent) not in run.manifest_path.read_text()


def test_int8_agrees_with_float(run):
    classifier = EmotionClassifier(read_manifest(run.manifest_path), num_threads=1)
    with np.load(run.models / "float.npz") as exact:
        quantized = classifier.logits(exact["images"])
        for head, values in quantized.items():
            assert softmax(values) == pytest.approx(softmax(exact[head]), abs=0.05)


def test_normalisation_is_folded_into_the_convolutions(run):
    classifier = EmotionClassifier(read_manifest(run.manifest_path), num_threads=1)
    operations = [entry["op_name"] for entry in classifier._interpreter._get_ops_details()]
    assert operations.count("CONV_2D") == 13
    assert not {"MUL", "ADD", "SUB", "RSQRT"} & set(operations)


@pytest.mark.parametrize("n", [0, 1, 3, 40])
def test_any_number_of_faces_is_classified(run, n):
    classifier = EmotionClassifier(read_manifest(run.manifest_path), num_threads=1)
    crops = np.random.default_rng(0).integers(0, 256, (n, 48, 48), dtype=np.uint8)

    probabilities = classifier.classify(crops)

    assert probabilities.shape == (n, 5)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(n), abs=1e-5)


@pytest.mark.parametrize("quantile", [None, 0.5, 1])
def test_the_mirror_image_is_averaged_in_where_the_first_view_is_in_doubt(run, quantile):
    manifest = read_manifest(run.manifest_path)
    classifier = EmotionClassifier(manifest, num_threads=1)
    with np.load(run.models / "float.npz") as exact:
        images = exact["images"]
    views = [classifier.logits(view) for view in (images, images[:, :, ::-1])]
    heads = manifest.heads.items()
    first = {
        name: as_labels(softmax(views[0][name], head.temperature), head, manifest.labels)
        for name, head in heads
    }
    confidence = mixed(first, manifest.shown).max(axis=1)
    # Nothing, half of them, everything.
    below = 0.0 if quantile is None else float(np.quantile(confidence, quantile)) + 1e-6
    doubtful = confidence < below
    assert doubtful.mean() == pytest.approx(quantile or 0, abs=0.1)

    classifier.manifest = replace(manifest, mirror_below=below)
    served = classifier.head_probabilities(images)
    unmirrored = classifier.head_probabilities(images, mirror=False)

    for name, head in heads:
        logits = np.stack([view[name] for view in views])
        expected = as_labels(mean_probabilities(logits, head.temperature), head, manifest.labels)
        assert served[name][doubtful] == pytest.approx(expected[doubtful], abs=1e-6)
        assert served[name][~doubtful] == pytest.approx(first[name][~doubtful], abs=1e-6)
        assert unmirrored[name] == pytest.approx(first[name], abs=1e-6)


def evaluate_model(run: Run, **options: object) -> None:
    call_command(
        "evaluate_model", data=run.data, votes=run.votes, manifest=run.manifest_path, **options
    )


def test_evaluate_model_prints_and_writes_figures(run, tmp_path, capsys):
    before = run.manifest_path.read_bytes()
    evaluate_model(run, json=tmp_path / "figures.json", no_report=True)

    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["n"] == 24
    assert {"accuracy", "classes", "expected_calibration_error", "confusion_matrix"} <= set(figures)
    assert np.sum(figures["confusion_matrix"]) == 24
    printed = capsys.readouterr().out
    assert "precision" in printed
    assert "head consensus" in printed
    assert run.manifest_path.read_bytes() == before


def test_evaluate_model_writes_the_report(run, monkeypatch):
    monkeypatch.setattr("recognition.training.network.BLOCKS", NARROW_BLOCKS)
    evaluate_model(run, labels="ferplus", checkpoints=run.checkpoints)

    evaluation = read_manifest(run.manifest_path).content["evaluation"]
    against_float = evaluation["against_float"]
    assert against_float["n"] == 24
    for head in ("fer2013", "consensus"):
        assert against_float["agreement"][head] >= 0.9
        assert abs(against_float["accuracy_lost"][head]) <= 0.1
    assert evaluation["label_stability"]["n_images"] == 24
    card = (run.models / "MODEL_CARD.md").read_text()
    accuracy = evaluation["sources"]["ferplus"]["shown"]["accuracy"]
    assert f"| FER+ majority, shown | 24 | {accuracy:.1%} |" in card
    assert "Figures on test" in card
    plots = sorted(file.name for file in (run.models / "plots").glob("*.png"))
    assert plots == [
        "class_balance.png",
        "confusion_matrix.png",
        "reliability.png",
        "training_curves.png",
    ]
    assert all(f"plots/{plot}" in card for plot in plots)


def test_training_goes_on_from_shipped_weights_with_corrections(run, tmp_path, monkeypatch):
    """`make train ARGS="--init models/… --extra corrections.zip --epochs N"`, on a few images."""
    monkeypatch.setattr("recognition.training.network.BLOCKS", NARROW_BLOCKS)
    before = read_manifest(run.manifest_path)
    # The conversion is tried above, and costs more than all the rest.
    monkeypatch.setattr(
        "recognition.training.export.convert", lambda weights: before.model_path.read_bytes()
    )
    extra = tmp_path / "corrections.zip"
    rng = np.random.default_rng(7)
    with zipfile.ZipFile(extra, "w") as archive:
        for i, label in enumerate(("sad", "sad", "other", "other")):
            png = cv2.imencode(".png", pattern(i, rng))[1].tobytes()
            archive.writestr(f"train/{label}/{i}.png", png)

    call_command(
        "train_model",
        data=run.data,
        votes=run.votes,
        init=str(run.manifest_path),
        extra=extra,
        epochs=1,
        batch_size=16,
        precision="float32",
        output=tmp_path / "checkpoints",
        models=tmp_path / "models",
    )

    training = read_manifest(tmp_path / "models" / run.manifest_path.name).content["training"]
    assert training["data"]["facts"]["extra_images_used"] == 4
    assert training["initial_weights"]["file"] == before.content["weights"]["file"]
    assert training["initial_weights"]["sha256"] == before.content["weights"]["sha256"]
    assert len(training["history"]) == 1
    with (
        np.load(run.models / before.content["weights"]["file"]) as old,
        np.load(tmp_path / "models" / "emotion_vgg16.npz") as new,
    ):
        assert set(old) == set(new)
        assert all(values.dtype == np.float16 for values in new.values())
        assert any(not np.array_equal(old[name], new[name]) for name in old)


def test_a_missing_checkpoint_is_told(run, tmp_path):
    with pytest.raises(CommandError, match="no finished epoch"):
        evaluate_model(run, checkpoints=tmp_path, no_report=True)


def test_calibrating_anew_keeps_the_model_and_drops_its_figures_on_test(run, tmp_path):
    models = shutil.copytree(run.models, tmp_path / "models")
    manifest_path = models / run.manifest_path.name
    before = json.loads(manifest_path.read_text())
    before["evaluation"] = before["validation"]
    before["shown"] |= {"weights": {"fer2013": 0.123, "consensus": 0.877}, "temperature": 9.0}
    manifest_path.write_text(json.dumps(before))

    call_command("calibrate_model", data=run.data, votes=run.votes, manifest=manifest_path)

    manifest = read_manifest(manifest_path)
    assert "evaluation" not in manifest.content
    assert manifest.content["artefact"] == before["artefact"]
    assert manifest.content["training"] == before["training"]
    assert manifest.shown.weights in [
        choice["weights"] for choice in manifest.content["shown"]["choices"]
    ]
    assert manifest.shown.temperature != 9.0
    assert manifest.content["validation"]["shown"]["weights"] == manifest.shown.weights
    assert manifest.content["validation"]["against_float"] == before["validation"]["against_float"]
    assert "Not yet evaluated on test" in (models / "MODEL_CARD.md").read_text()


def test_calibration_refuses_other_data(run, tmp_path):
    other = shutil.copytree(run.data, tmp_path / "other")
    next((other / "train").rglob("*.png")).unlink()
    with pytest.raises(CommandError, match="not the files"):
        call_command("calibrate_model", data=other, votes=run.votes, manifest=run.manifest_path)


def test_before_evaluation_the_card_says_so(run, tmp_path):
    content = {**read_manifest(run.manifest_path).content}
    content.pop("evaluation", None)
    write_report(content, tmp_path)
    assert "Not yet evaluated on test" in (tmp_path / "MODEL_CARD.md").read_text()


def test_other_data_than_the_models_own_is_pointed_out(run, tmp_path):
    content = json.loads(json.dumps(read_manifest(run.manifest_path).content))
    content["evaluation"] = {**content["validation"], "data_fingerprint": "other"}
    write_report(content, tmp_path)
    assert (
        "not the files that the model was trained from" in (tmp_path / "MODEL_CARD.md").read_text()
    )


def test_ferplus_labels_need_votes(run, tmp_path):
    with pytest.raises(CommandError, match="--votes"):
        call_command("evaluate_model", data=run.data, manifest=run.manifest_path, labels="ferplus")


def test_sample_sheets_stay_out_of_the_repository(tmp_path):
    images = np.zeros((3, 48, 48), np.uint8)
    probabilities = np.full((3, 4), 0.25, np.float32)
    truth = np.array([0, 1, 2])

    write_sample_sheet(
        tmp_path / "sheet.png", images, probabilities, truth, LABELS, repository=REPOSITORY
    )

    assert (tmp_path / "sheet.png").exists()
    inside = REPOSITORY / "models" / "sheet.png"
    with pytest.raises(ValueError, match="inside the repository"):
        write_sample_sheet(inside, images, probabilities, truth, LABELS, repository=REPOSITORY)
    assert not inside.exists()
