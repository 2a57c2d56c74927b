"""The threads that look at frames: one a core, each with a recognizer of its own."""

from __future__ import annotations

import threading
from functools import cache, partial

import cv2
from django.conf import settings

from recognition.live.fair_threads import FairThreads
from recognition.model_registry.catalogue import known_manifest
from recognition.model_registry.inference import get_recognizer
from recognition.vision.live import LiveRecognizer
from recognition.vision.recognizer import EmotionRecognizer

_of_thread = threading.local()


@cache
def pool() -> FairThreads:
    """The process's pool, made on first use."""
    # It already has a thread a core: more of them inside OpenCV only get in the way.
    return FairThreads(settings.LIVE_THREADS, partial(cv2.setNumThreads, 1))


def live_recognizer() -> LiveRecognizer:
    """This thread's recognizer of frames, loaded on first use and when another model is active.

    Raises:
        ModelError: the model is missing or does not fit its manifest.
    """
    # Which model is active is asked by the sockets: a thread of the pool has no connection to
    # the database, and would keep one for ever.
    recognizer = get_recognizer(known_manifest())
    known: tuple[EmotionRecognizer, LiveRecognizer] | None = getattr(_of_thread, "known", None)
    if known is None or known[0] is not recognizer:
        known = _of_thread.known = (recognizer, LiveRecognizer(recognizer))
    return known[1]


def load_model() -> str:
    """Load this thread's recognizer; returns the model's version.

    Raises:
        ModelError: the model is missing or does not fit its manifest.
    """
    live_recognizer()
    return known_manifest().version
