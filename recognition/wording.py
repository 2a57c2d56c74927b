"""Labels, reasons of failure and of rejection as people read them, in the reader's language.

What the recognizer refuses, and what a worker writes down, is English: who will read it, and in
which language, is known only here. A test holds the labels to the model's manifest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recognition.vision.types import Rejection

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from recognition.vision.errors import ImageError

LABEL_NAMES = {
    "happy": gettext_lazy("Happy"),
    "sad": gettext_lazy("Sad"),
    "surprise": gettext_lazy("Surprise"),
    "neutral": gettext_lazy("Neutral"),
}
#: What a face can be corrected to.
CORRECTION_NAMES = {**LABEL_NAMES, "not_a_face": gettext_lazy("Not a face")}

REJECTION_TEXTS: dict[str, StrOrPromise] = {
    Rejection.TOO_SMALL: gettext_lazy("too few pixels to read"),
    Rejection.FLAT: gettext_lazy("hardly any contrast"),
    Rejection.BLURRED: gettext_lazy("too blurred to read"),
    Rejection.NOT_CONFIRMED: gettext_lazy("no face at a second look"),
}


def refusal_text(error: ImageError) -> str:
    """What is wrong with a photo."""
    values = {
        name: number_format(value, force_grouping=True) if isinstance(value, int) else _(value)
        for name, value in error.values.items()
    }
    return _(error.template) % values


def stored_text(text: str) -> str:
    """A sentence that was stored in English, as why an upload failed; empty where there is none.

    A stored photo was accepted once, so the reasons left to a worker name no values. One that did
    would stay English.
    """
    return _(text) if text else ""
