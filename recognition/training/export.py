"""From a Keras checkpoint to what the site serves: a LiteRT file and its manifest.

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

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from recognition.training import network, record
from recognition.training.calibrate import Calibration, calibrate_classifier
from recognition.training.dataset import IMAGE_SIZE, LABELS, Dataset, Examples
from recognition.training.evaluate import (
    UNLABELLED,
    AgainstFloat,
    classify,
    evaluate,
    measure_against_float,
    true_labels,
)
from recognition.training.fit import BEST, STATE
from recognition.training.stability import label_stability
from recognition.vision.classification import EmotionClassifier
from recognition.vision.manifest import FORMAT, Manifest, Mix
from recognition.vision.preprocessing import standardize

MODEL_FILE = "emotion_vgg16.tflite"
MANIFEST_FILE = "emotion_vgg16.json"
#: The detector frames faces a little tighter than the data set. Of 387 validation images on a
#: larger canvas that it found, a margin of 0, 0.05, 0.1 and 0.2 labelled 86.3, 86.8, 85.5 and
#: 84.5 % as FER-2013 does, and 86.3, 86.3, 86.1 and 83.7 % as FER+ does.
CROP_MARGIN = 0.05


class ExportError(RuntimeError):
    """There is nothing to export, or not with this Keras back end."""


def export(
    directory: Path, models: Path, data: Dataset, *, with_votes: bool, num_threads: int = 2
) -> Path:
    """Convert the best checkpoint, calibrate what came out and describe it.

    Args:
        directory: where ``fit`` left its checkpoints.
        models: where the model file and the manifest go; made if missing.
        data: the data set it was trained on; its `test` part is only counted.
        with_votes: False where the taggers' votes were not given.
        num_threads: threads for classifying the validation part.

    Returns:
        The manifest's path.

    Raises:
        ExportError: no finished epoch in `directory`, or Keras runs on another back end.
    """
    model = load_float(directory)
    model_bytes = convert(model)
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
        validation["label_stability"] = label_stability(classifier, data.validation.images)
        validation["against_float"] = against_float(
            model, classifier, data.validation, with_votes=with_votes
        )
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
        **_usage(draft, calibration),
        "training": _training(directory, data, with_votes=with_votes),
        "validation": validation,
    }
    models.mkdir(parents=True, exist_ok=True)
    partial = models / f"partial-{MODEL_FILE}"
    partial.write_bytes(model_bytes)
    os.replace(partial, models / MODEL_FILE)
    record.write_manifest(models / MANIFEST_FILE, content)
    return models / MANIFEST_FILE


def load_float(directory: Path) -> keras.Model:
    """The best checkpoint's weights in a float32 network, whatever precision it trained in."""
    if not (directory / BEST).exists():
        raise ExportError(f"{directory} holds no finished epoch")
    settings = json.loads((directory / "settings.json").read_text())
    weights = keras.saving.load_model(directory / BEST, compile=False).get_weights()
    policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_global_policy("float32")
    try:
        model = network.build(len(LABELS), head_units=settings["head_units"])
    finally:
        keras.mixed_precision.set_global_policy(policy)
    model.set_weights(weights)
    return model


def convert(model: keras.Model) -> bytes:
    """Convert to LiteRT with int8 weights.

    The one signature takes ``face``, float32 ``(n, 48, 48, 1)``, and returns the logits of each
    head under its name.

    Raises:
        ExportError: Keras does not run on TensorFlow, the only back end that LiteRT reads.
    """
    if keras.backend.backend() != "tensorflow":
        raise ExportError("export needs KERAS_BACKEND=tensorflow")
    with tempfile.TemporaryDirectory() as folder:
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint(
            "serving_default",
            lambda face: model(face, training=False),
            input_signature=[
                tf.TensorSpec((None, IMAGE_SIZE, IMAGE_SIZE, 1), tf.float32, name="face")
            ],
        )
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return bytes(converter.convert())


class _FloatClassifier(EmotionClassifier):
    """The serving code with the float32 network in place of the artefact."""

    def __init__(self, manifest: Manifest, model: keras.Model) -> None:
        self.manifest = manifest
        self._model = model

    def logits(self, crops_gray: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        found = self._model.predict(standardize(crops_gray), batch_size=64, verbose=0)
        return {head: np.asarray(values) for head, values in found.items()}


def against_float(
    model: keras.Model, classifier: EmotionClassifier, examples: Examples, *, with_votes: bool
) -> AgainstFloat:
    """Compare the artefact with the float32 network, both through the serving code.

    Args:
        model: as :func:`load_float` gives it, the one that the artefact was made from.
        classifier: the artefact, calibrated.
        examples: those without a label by any source are left out.
        with_votes: False where the taggers' votes were not given.
    """
    truths = true_labels(examples, with_votes=with_votes)
    labelled = np.any([truth != UNLABELLED for truth in truths.values()], axis=0)
    images = examples.images[labelled]
    return measure_against_float(
        classify(classifier, images),
        classify(_FloatClassifier(classifier.manifest, model), images),
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
        temperatures=dict.fromkeys(network.HEADS, 1.0),
        shown=Mix({head: 1 / len(network.HEADS) for head in network.HEADS}),
        mirror_below=1.0,
        uncertain_below=0.0,
        content={},
    )


def _usage(draft: Manifest, calibration: Calibration) -> dict[str, Any]:
    """The part of the manifest that serving reads."""
    return {
        "labels": list(draft.labels),
        "input": {
            "size": draft.input_size,
            "crop_margin": draft.crop_margin,
            "colour": "gray",
            "preprocessing": "zero mean and unit variance over each crop",
        },
        **calibration.as_manifest(),
    }


def _training(directory: Path, data: Dataset, *, with_votes: bool) -> dict[str, Any]:
    settings = json.loads((directory / "settings.json").read_text())
    initial = settings["initial_weights"]
    if initial and initial != "imagenet":
        # A path says nothing elsewhere and may tell more than its owner wants.
        settings["initial_weights"] = Path(initial).name
    history = json.loads((directory / STATE).read_text())["history"]
    best = max(history, key=lambda epoch: epoch["val_score"])
    return {
        "settings": settings,
        "seed": settings["seed"],
        "data": record.describe_data(data, with_votes=with_votes),
        "code_version": record.code_version(),
        "versions": record.versions(),
        "best_epoch": best["epoch"] + 1,
        "history": [{name: round(value, 5) for name, value in epoch.items()} for epoch in history],
    }
