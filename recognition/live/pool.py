"""The threads that look at frames: one a core, each with a recognizer of its own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
from django.conf import settings

from recognition.inference import get_recognizer
from recognition.vision.live import LiveRecognizer

_of_thread = threading.local()


@cache
def pool() -> ThreadPoolExecutor:
    """The process's pool, made on first use.

    Its queue is first come, first served, and no socket has more than one frame in it: that is
    what shares it fairly.
    """
    return ThreadPoolExecutor(
        settings.LIVE_THREADS,
        thread_name_prefix="live",
        # The pool already has a thread a core: more of them inside OpenCV only get in the way.
        initializer=cv2.setNumThreads,
        initargs=(1,),
    )


def live_recognizer() -> LiveRecognizer:
    """This thread's recognizer of frames, loaded on first use.

    Raises:
        ModelError: the model is missing or does not fit its manifest.
    """
    recognizer: LiveRecognizer | None = getattr(_of_thread, "recognizer", None)
    if recognizer is None:
        recognizer = LiveRecognizer(get_recognizer())
        _of_thread.recognizer = recognizer
    return recognizer


def load_model() -> str:
    """Load this thread's recognizer; returns the model's version.

    Raises:
        ModelError: the model is missing or does not fit its manifest.
    """
    live_recognizer()
    return get_recognizer().manifest.version
