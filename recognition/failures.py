"""Why a photo was refused or could not be processed, in the reader's language.

What the recognizer refuses, and what a worker writes down, is English: who will read it, and in
which language, is known only here.
"""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from recognition.models import Upload
from recognition.vision.errors import ImageError


def refusal_text(error: ImageError) -> str:
    """What is wrong with a photo."""
    values = {
        name: number_format(value, force_grouping=True) if isinstance(value, int) else _(value)
        for name, value in error.values.items()
    }
    return _(error.template) % values


def failure_text(upload: Upload) -> str:
    """Why an upload failed; empty where it did not.

    A stored photo was accepted once, so the reasons left to a worker name no values. One that did
    would stay English.
    """
    return stored_text(upload.error_message)


def stored_text(text: str) -> str:
    """A sentence that was stored in English."""
    return _(text) if text else ""
