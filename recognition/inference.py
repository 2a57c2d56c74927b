"""The one place that joins Django to the vision package."""

from __future__ import annotations

import threading

from django.conf import settings

from operations import metrics
from recognition.models import Prediction, Upload
from recognition.vision import explanation
from recognition.vision.recognizer import EmotionRecognizer
from recognition.vision.types import BoundingBox, Recognition

_of_thread = threading.local()


def get_recognizer() -> EmotionRecognizer:
    """This thread's recognizer, loaded on first use: neither cascade nor interpreter may be shared.

    Raises:
        ModelError: the model is missing or does not fit its manifest.
    """
    recognizer: EmotionRecognizer | None = getattr(_of_thread, "recognizer", None)
    if recognizer is None:
        recognizer = EmotionRecognizer(
            settings.MODEL_MANIFEST, num_threads=settings.RECOGNIZER_THREADS
        )
        _of_thread.recognizer = recognizer
    return recognizer


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
    recognizer = get_recognizer()
    recognition = recognizer.recognize(data)
    for stage, seconds in recognition.seconds.items():
        metrics.STAGES.observe(seconds, stage)
    return recognition, recognizer.manifest.version


def draw_heat_map(prediction: Prediction) -> bytes:
    """Draw which parts of a face carried its label.

    Returns:
        A PNG.

    Raises:
        ImageError: the stored photo cannot be read as an image.
        ModelError: the model is missing, or does not know the label.
        OSError: the storage does not give the photo.
    """
    with prediction.upload.image.open("rb") as file:
        data = file.read()
    box = BoundingBox(prediction.x, prediction.y, prediction.width, prediction.height)
    found, face_gray = get_recognizer().explain(data, box, prediction.label, roll=prediction.roll)
    return explanation.draw(found, face_gray)
