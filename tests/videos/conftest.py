"""Videos of Alice's."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from recognition.models import Video
from recognition.videos import actions
from tests.support import clip
from tests.support.videos import Sending, make


@pytest.fixture(scope="session")
def film() -> bytes:
    """Five seconds: a face that moves, leaves and comes back, with full pictures every second."""
    frames = [clip.frame(clip.astronaut(), second) for second in np.arange(5.0, 10, 0.1)]
    return make(frames, g="10")


@pytest.fixture
def send(alice: User, film: bytes) -> Sending:
    """Send a video, by default the film."""

    def create(data: bytes | None = None, **options: int) -> Video:
        file = SimpleUploadedFile("interview.mp4", film if data is None else data)
        return actions.create_video(alice, file, **options)

    return create
