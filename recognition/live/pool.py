"""The threads that look at frames: one a core, each with a recognizer of its own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
from django.conf import settings

from operations import turns
from recognition.model_registry.catalogue import known_manifest
from recognition.model_registry.inference import get_recognizer
from recognition.vision.live import LiveRecognizer
from recognition.vision.recognizer import EmotionRecognizer

_of_thread = threading.local()


@cache
def pool() -> ThreadPoolExecutor:
    """The process's pool, made on first use."""
    return ThreadPoolExecutor(
        settings.LIVE_THREADS,
        thread_name_prefix="live",
        # The pool already has a thread a core: more of them inside OpenCV only get in the way.
        initializer=cv2.setNumThreads,
        initargs=(1,),
    )


@cache
def line() -> turns.Line:
    """Where frames wait for the pool: network addresses are served in turn, and browsers there.

    One that has many sockets, or frames that take long, keeps others waiting for one of them.
    """
    # Twice the threads: each has its next frame before a busy event loop comes to hand one out.
    n = 2 * settings.LIVE_THREADS
    return turns.Line(n, of_place=n, of_caller=n)


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
