"""Weights that ship: written, read, and trained further."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from django.conf import settings

from .conftest import noise

torch = pytest.importorskip("torch", reason="needs requirements/train.txt")

# These import it, too, and come after the question whether it is there (E402).
from recognition.training import network, weights  # noqa: E402
from recognition.training.normalisation import as_input, estimate_statistics  # noqa: E402
from recognition.vision.classification import EmotionClassifier  # noqa: E402
from recognition.vision.manifest import read_manifest  # noqa: E402

MANIFEST = settings.BASE_DIR / "models" / "emotion_vgg16.json"
IMAGES = np.stack([noise(i) for i in range(40)])


@pytest.fixture
def narrow(monkeypatch):
    """A network with few filters and statistics that are not those of its beginning."""
    monkeypatch.setattr(network, "BLOCKS", ((8, 8), (8, 8), (8, 8, 8), (8, 8, 8), (8, 8, 8)))
    torch.manual_seed(0)
    model = network.EmotionNetwork(head_units=16)
    for _name, _convolution, norm in model.convolutions():
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        torch.nn.init.uniform_(norm.bias, -0.5, 0.5)
    estimate_statistics(model.trunk, IMAGES[::-1].copy(), batch_size=8)
    return model.eval()


@torch.no_grad()
def answers(model):
    return {head: values.numpy() for head, values in model.eval()(as_input(IMAGES)).items()}


def test_folded_weights_answer_as_the_network_does(narrow):
    found = weights.run(weights.folded(narrow), IMAGES)
    for head, expected in answers(narrow).items():
        assert found[head] == pytest.approx(expected, abs=1e-4)


def test_weights_come_back_from_their_file(narrow, tmp_path):
    stored = weights.folded(narrow)
    weights.write(tmp_path / "some.npz", stored)
    read = weights.read(weights.locate(tmp_path / "some.npz"))
    assert set(read) == set(stored)
    for name, values in read.items():
        assert values.dtype == np.float32
        assert values == pytest.approx(stored[name], rel=1e-3, abs=1e-4)


def test_training_begins_where_the_weights_are(narrow):
    """The network made from folded weights answers as before, also with fresh statistics."""
    before = answers(narrow)
    begun = network.EmotionNetwork(head_units=16)
    weights.start_from(begun, weights.folded(narrow), IMAGES)
    assert set(before) == set(network.HEADS)
    for head, found in answers(begun).items():
        assert found == pytest.approx(before[head], abs=1e-3)
    # Normalisation by the statistics of the batch changes nothing where they are the same.
    estimate_statistics(begun.trunk, IMAGES, batch_size=len(IMAGES))
    for head, found in answers(begun).items():
        assert found == pytest.approx(before[head], abs=1e-2)


def test_classes_that_the_weights_do_not_know_begin_as_rare_ones(narrow):
    stored = weights.folded(narrow)
    for head in network.HEADS:
        for part in ("kernel", "bias"):
            stored[f"{head}.{part}"] = stored[f"{head}.{part}"][:4]
    begun = network.EmotionNetwork(head_units=16)
    weights.start_from(begun, stored, IMAGES)
    before = answers(narrow)
    for head, found in answers(begun).items():
        assert found[:, :4] == pytest.approx(before[head][:, :4], abs=1e-3)
        assert found[:, 4:].mean() < -1


def test_weights_of_another_network_are_refused(narrow):
    stored = weights.folded(narrow)
    with pytest.raises(weights.WeightsError, match="lack"):
        weights.start_from(network.EmotionNetwork(head_units=16), {}, IMAGES)
    with pytest.raises(weights.WeightsError, match="do not fit"):
        weights.start_from(network.EmotionNetwork(head_units=32), stored, IMAGES)
    stored["block1_conv1.kernel"] = stored["block1_conv1.kernel"][:3]
    with pytest.raises(weights.WeightsError, match="do not fit"):
        weights.start_from(network.EmotionNetwork(head_units=16), stored, IMAGES)


def test_files_without_weights_are_told(tmp_path):
    (tmp_path / "broken.json").write_text("{")
    for name, problem in (
        ("missing.npz", "does not exist"),
        ("missing.json", "not a model manifest"),
        ("broken.json", "not a model manifest"),
    ):
        with pytest.raises(weights.WeightsError, match=problem):
            weights.locate(tmp_path / name)
    (tmp_path / "weights.keras").write_bytes(b"")
    with pytest.raises(weights.WeightsError, match=r"\.npz or \.tflite"):
        weights.read(weights.locate(tmp_path / "weights.keras"))


def test_the_weights_that_ship_are_those_of_the_model_that_ships():
    """Float16 weights, or where a manifest names none the LiteRT file's own."""
    manifest = read_manifest(MANIFEST)
    classifier = EmotionClassifier(replace(manifest), num_threads=1)
    smooth = np.stack(
        [
            np.asarray(np.add.outer(np.arange(48), i * np.arange(48)) % 256, np.uint8)
            for i in range(1, 5)
        ]
    )
    served = classifier.logits(smooth)
    exact = weights.run(weights.read(weights.locate(MANIFEST)), smooth)
    for head, values in exact.items():
        assert values.shape == served[head].shape
        assert values == pytest.approx(served[head], abs=0.3)
    named = json.loads(MANIFEST.read_text()).get("weights")
    assert named is None or (MANIFEST.parent / named["file"]).is_file()
