"""What tests of vision share."""

from __future__ import annotations

import pytest
from django.conf import settings

from recognition.vision.recognizer import EmotionRecognizer


@pytest.fixture(scope="session")
def recognizer() -> EmotionRecognizer:
    """The site's own recognizer, with the model that ships."""
    return EmotionRecognizer(settings.MODEL_MANIFEST)
