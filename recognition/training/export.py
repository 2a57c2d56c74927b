"""From trained weights to what the site serves: a LiteRT file and its manifest.

Dynamic-range quantization stores kernels as int8 with a scale for each output channel and
measures activations while running; it needs no sample data. Source:
https://ai.google.dev/edge/litert/models/post_training_quantization
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.training import record, weights
from recognition.training.calibrate import Calibration, calibrate_classifier
from recognition.training.dataset import (
    CLASSES,
    IMAGE_SIZE,
    LABELS,
    NAMED,
    OTHER,
    Dataset,
    Examples,
)
from recognition.training.evaluate import (
    AgainstFloat,
    classify,
    evaluate,
    measure_against_float,
    true_labels,
)
from recognition.training.figures import UNLABELLED
from recognition.training.fit import AVERAGED, INITIAL
from recognition.training.progress import SETTINGS, STATE
from recognition.training.weights import Weights
from recognition.vision.classification import EmotionClassifier
from recognition.vision.manifest import FORMAT, Head, Manifest, Mix

MODEL_FILE = "emotion_vgg16.tflite"
MANIFEST_FILE = "emotion_vgg16.json"
#: Weights to train on from.
WEIGHTS_FILE = "emotion_vgg16.npz"
#: The detector frames faces a little tighter than the data set. Of 387 validation images on a
#: larger canvas that it found, a margin of 0, 0.05, 0.1 and 0.2 labelled 86.3, 86.8, 85.5 and
#: 84.5 % as FER-2013 does, and 86.3, 86.3, 86.1 and 83.7 % as FER+ does.
CROP_MARGIN = 0.05
#: Of doubtful faces the mirror image is looked at in a tighter and in a wider frame: labels then
#: hold more firmly when the detector frames a face otherwise (models/steps.json).
SECOND_MARGINS = (-0.05, 0.15)
#: On so many images the artefact is compared with the float32 network, which takes ten times as
#: long.
FLOAT_IMAGES = 1000


class ExportError(RuntimeError):
    """There is nothing to export."""


def export(
    directory: Path, models: Path, data: Dataset, *, with_votes: bool, num_threads: int = 2
) -> Path:
    """Convert the last checkpoint, calibrate what came out and describe it.

    Args:
        directory: where ``fit`` left its checkpoints.
        models: where the model file and the manifest go; made if missing.
        data: the data set it was trained on; its `test` part is only counted.
        with_votes: False where the taggers' votes were not given.
        num_threads: threads for classifying the validation part.

    Returns:
        The manifest's path.

    Raises:
        ExportError: no finished epoch in `directory`.
    """
    trained = load_float(directory)
    model_bytes = convert(trained)
    digest = hashlib.sha256(model_bytes).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        draft = _draft(Path(folder), model_bytes, version=f"vgg16-{digest[:8]}")
        classifier = EmotionClassifier(draft, num_threads=num_threads)
        calibration = calibrate_classifier(classifier, data.validation, with_votes=with_votes)
        classifier.manifest = calibration.applied_to(draft)
        validation = evaluate(
            classifier,
            data.validation,
            part="validation",
            data_fingerprint=data.fingerprint,
            with_votes=with_votes,
        )
        validation["against_float"] = against_float(
            trained, classifier, data.validation, with_votes=with_votes
        )
    models.mkdir(parents=True, exist_ok=True)
    weights.write(models / WEIGHTS_FILE, trained)
    content = {
        "format": FORMAT,
        "version": draft.version,
        "created": datetime.now(UTC).date().isoformat(),
        "artefact": {
            "file": MODEL_FILE,
            "sha256": digest,
            "bytes": len(model_bytes),
            "quantization": "dynamic-range int8",
        },
        "weights": {
            "file": WEIGHTS_FILE,
            "sha256": hashlib.sha256((models / WEIGHTS_FILE).read_bytes()).hexdigest(),
            "dtype": "float16",
        },
        **_usage(draft, calibration),
        "training": _training(directory, data, with_votes=with_votes),
        "validation": validation,
    }
    partial = models / f"partial-{MODEL_FILE}"
    partial.write_bytes(model_bytes)
    os.replace(partial, models / MODEL_FILE)
    record.write_manifest(models / MANIFEST_FILE, content)
    return models / MANIFEST_FILE


def load_float(directory: Path) -> Weights:
    """The averaged weights of the last epoch.

    Raises:
        ExportError: no finished epoch in `directory`.
    """
    if not (directory / AVERAGED).exists():
        raise ExportError(f"{directory} holds no finished epoch")
    return weights.read(directory / AVERAGED)


def convert(trained: Weights) -> bytes:
    """Convert to LiteRT with int8 weights.

    The one signature takes ``face``, float32 ``(n, 48, 48, 1)``, and returns the logits of each
    head under its name.
    """
    import tensorflow as tf

    values = {
        name: tf.Variable(_as_tensorflow(value), trainable=False) for name, value in trained.items()
    }
    module = tf.Module()
    module.values = values

    @tf.function(
        input_signature=[tf.TensorSpec((None, IMAGE_SIZE, IMAGE_SIZE, 1), tf.float32, name="face")]
    )
    def classify(face: Any) -> dict[str, Any]:
        x = face
        for i, block in enumerate(weights.blocks(trained)):
            if i:
                x = tf.nn.max_pool2d(x, 2, 2, "VALID")
            for name in block:
                x = tf.nn.conv2d(x, values[f"{name}.kernel"], 1, "SAME")
                x = tf.nn.relu(tf.nn.bias_add(x, values[f"{name}.bias"]))
        features = tf.reduce_mean(x, axis=[1, 2])
        found = {}
        for head in CLASSES:
            hidden = tf.matmul(features, values[f"{head}_dense.kernel"])
            hidden = tf.nn.relu(tf.nn.bias_add(hidden, values[f"{head}_dense.bias"]))
            logits = tf.matmul(hidden, values[f"{head}.kernel"])
            found[head] = tf.nn.bias_add(logits, values[f"{head}.bias"])
        return found

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=classify)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return bytes(converter.convert())


def _as_tensorflow(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """From ``(out, in, height, width)`` to ``(height, width, in, out)``, or to ``(in, out)``."""
    return values.transpose(2, 3, 1, 0) if values.ndim == 4 else values.T


class _FloatClassifier(EmotionClassifier):
    """The serving code with the float32 network in place of the artefact."""

    def __init__(self, manifest: Manifest, trained: Weights) -> None:
        self.manifest = manifest
        self._trained = trained

    def logits(self, crops_gray: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        return weights.run(self._trained, crops_gray)


def against_float(
    trained: Weights, classifier: EmotionClassifier, examples: Examples, *, with_votes: bool
) -> AgainstFloat:
    """Compare the artefact with the float32 network, both through the serving code.

    Args:
        trained: as :func:`load_float` gives them, those that the artefact was made from.
        classifier: the artefact, calibrated.
        examples: those without a label by any source are left out, and more than
            :data:`FLOAT_IMAGES`.
        with_votes: False where the taggers' votes were not given.
    """
    truths = true_labels(examples, classifier.manifest.labels, with_votes=with_votes)
    labelled = np.flatnonzero(np.any([truth != UNLABELLED for truth in truths.values()], axis=0))
    labelled = np.random.default_rng(0).permutation(labelled)[:FLOAT_IMAGES]
    images = examples.images[labelled]
    return measure_against_float(
        classify(classifier, images),
        classify(_FloatClassifier(classifier.manifest, trained), images),
        {source: truth[labelled] for source, truth in truths.items()},
    )


def _draft(folder: Path, model_bytes: bytes, *, version: str) -> Manifest:
    """A manifest before calibration."""
    model_path = folder / MODEL_FILE
    model_path.write_bytes(model_bytes)
    return Manifest(
        path=folder / MANIFEST_FILE,
        model_path=model_path,
        version=version,
        labels=LABELS,
        input_size=IMAGE_SIZE,
        crop_margin=CROP_MARGIN,
        second_margins=SECOND_MARGINS,
        heads={head: Head(_labels_of(classes)) for head, classes in CLASSES.items()},
        shown=Mix({head: 1 / len(CLASSES) for head in CLASSES}),
        mirror_below=1.0,
        uncertain_below=0.0,
        content={},
    )


def _labels_of(classes: tuple[str, ...]) -> dict[str, str]:
    """What people are shown for each class."""
    rest = [OTHER] * (len(classes) - len(NAMED))
    return dict(zip(classes, (*NAMED, *rest), strict=True))


def _usage(draft: Manifest, calibration: Calibration) -> dict[str, Any]:
    """The part of the manifest that serving reads."""
    return {
        "labels": list(draft.labels),
        "input": {
            "size": draft.input_size,
            "crop_margin": draft.crop_margin,
            "second_margins": list(draft.second_margins),
            "colour": "gray",
            "preprocessing": "zero mean and unit variance over each crop",
        },
        **calibration.as_manifest(draft.heads),
    }


def _training(directory: Path, data: Dataset, *, with_votes: bool) -> dict[str, Any]:
    settings = json.loads((directory / SETTINGS).read_text())
    initial = record.read_beside(directory / INITIAL)
    # A path says nothing elsewhere and may tell more than its owner wants.
    settings["initial_weights"] = initial and initial["file"]
    history = json.loads((directory / STATE).read_text())["history"]
    return {
        "settings": settings,
        **({"initial_weights": initial} if initial else {}),
        "seed": settings["seed"],
        "data": record.describe_data(data, with_votes=with_votes),
        "code_version": record.code_version(),
        "versions": record.versions(),
        "history": [{name: round(value, 5) for name, value in epoch.items()} for epoch in history],
    }
