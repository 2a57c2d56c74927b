"""Labels, reasons of failure and of rejection as people read them, in the reader's language.

What the recognizer refuses, and what a worker writes down, is English: who will read it, and in
which language, is known only here. tests/test_labels.py fails where a label has been forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from recognition.vision.types import Rejection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django_stubs_ext import StrOrPromise

    from recognition.vision.errors import FileError

#: Every label, in the order in which they are shown: the one list. A label is added here, with its
#: symbol below and its colour in `static/css/tokens.css`; a model's manifest may list it then.
LABEL_NAMES = {
    "happy": gettext_lazy("Happy"),
    "sad": gettext_lazy("Sad"),
    "surprise": gettext_lazy("Surprised"),
    "neutral": gettext_lazy("Neutral"),
    "other": pgettext_lazy("expression", "Other"),
}
#: Labels that every model knows. The others came later: models before them never give them, but
#: people may correct to them.
FIRST_LABELS = ("happy", "sad", "surprise", "neutral")
#: What a face can be corrected to.
CORRECTION_NAMES = {**LABEL_NAMES, "not_a_face": gettext_lazy("Not a face")}
#: The symbol of each in the sprite `static/vendor/bootstrap-icons/icons.svg`.
CORRECTION_ICONS = {
    "happy": "emoji-smile",
    "sad": "emoji-frown",
    "surprise": "emoji-surprise",
    "neutral": "emoji-neutral",
    "other": "three-dots",
    "not_a_face": "x-circle",
}

REJECTION_TEXTS: dict[str, StrOrPromise] = {
    Rejection.TOO_SMALL: gettext_lazy("too small"),
    Rejection.FLAT: gettext_lazy("too little contrast"),
    Rejection.BLURRED: gettext_lazy("too blurry"),
    Rejection.NOT_CONFIRMED: gettext_lazy("probably not a face"),
    "drawn": gettext_lazy("drawn by the owner"),
}


def labels_of(known: Iterable[str]) -> tuple[str, ...]:
    """The labels of a result in their order: those of every model, and later ones in `known`."""
    known = set(known)
    return tuple(label for label in LABEL_NAMES if label in FIRST_LABELS or label in known)


def refusal_text(error: FileError) -> str:
    """What is wrong with a photo or a video."""
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
