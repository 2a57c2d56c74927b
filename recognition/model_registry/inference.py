"""The one place that joins Django to the vision package."""

from __future__ import annotations

import logging
import threading

from django.conf import settings

from operations import metrics
from recognition.model_registry.catalogue import active_manifest, manifest_of
from recognition.models import Prediction, Upload
from recognition.vision import explanation
from recognition.vision.detection import DetectorName
from recognition.vision.errors import ModelError
from recognition.vision.manifest import Manifest
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.types import Recognition

logger = logging.getLogger(__name__)

_of_thread = threading.local()


def get_recognizer(manifest: Manifest) -> EmotionRecognizer:
    """This thread's recognizer with a given model, loaded on first use and when that changes.

    Neither cascade nor interpreter may be shared between threads.

    Raises:
        ModelError: the model is missing or does not fit its manifest.
    """
    recognizer: EmotionRecognizer | None = getattr(_of_thread, "recognizer", None)
    if recognizer is None or recognizer.manifest != manifest:
        recognizer = EmotionRecognizer(
            manifest.path,
            num_threads=settings.RECOGNIZER_THREADS,
            detector=DetectorName(settings.DETECTOR),
        )
        _of_thread.recognizer = recognizer
    return recognizer


def active_recognizer() -> EmotionRecognizer:
    """This thread's recognizer with the model that is active now.

    Raises:
        ModelError: the model is missing or does not fit its manifest, and none is loaded.
    """
    try:
        return get_recognizer(active_manifest())
    except ModelError as error:
        loaded: EmotionRecognizer | None = getattr(_of_thread, "recognizer", None)
        if loaded is None:
            raise
        # Files that are just being replaced must not fail anybody's photo; the health page
        # tells the operator if it lasts.
        logger.warning("still with model %s: %s", loaded.manifest.version, error)
        return loaded


def predict_upload(upload: Upload) -> tuple[Recognition, str]:
    """Recognize an upload's photo.

    Returns:
        What was seen, and the version of the model that saw it.

    Raises:
        ImageError: the stored photo cannot be read as an image.
        ModelError: the model is missing.
        OSError: the storage does not give the photo.
    """
    with metrics.STAGES.time("read"), upload.image.open("rb") as file:
        data = file.read()
    recognizer = active_recognizer()
    recognition = recognizer.recognize(data, upload.size)
    for stage, seconds in recognition.seconds.items():
        metrics.STAGES.observe(seconds, stage)
    return recognition, recognizer.manifest.version


def draw_heat_map(prediction: Prediction) -> bytes:
    """Draw which parts of a face carried its label, for the model that gave it.

    Where that is no longer there, for the one that is active.

    Returns:
        A PNG.

    Raises:
        ImageError: the stored photo cannot be read as an image.
        ModelError: the model is missing, or does not know the label.
        OSError: the storage does not give the photo.
    """
    with prediction.upload.image.open("rb") as file:
        data = file.read()
    manifest = manifest_of(prediction.upload.model_version)
    recognizer = get_recognizer(manifest) if manifest else active_recognizer()
    found, face_gray = recognizer.explain(
        data,
        prediction.box,
        prediction.label,
        roll=prediction.roll,
        size=prediction.upload.size,
    )
    return explanation.draw(found, face_gray)
