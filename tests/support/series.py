"""Series for tests: made up, and the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from recognition.models import Recording
from recognition.series.columns import Gap, GapReason, Sample
from recognition.series.storing import SeriesWriter

LABELS = ("happy", "sad", "surprise", "neutral", "other")


def sample(time_ms: int, face: int = 1, happy: float = 0.8, label: str = "happy") -> Sample:
    rest = (1 - happy) / 4
    probabilities = dict(zip(LABELS, (happy, rest, rest, rest, rest), strict=True))
    return Sample(
        time_ms, face, 200 + time_ms // 100 % 7, 80, 120, 121, label, happy < 0.5,
        probabilities, 0.25, 118, -3.5,
    )  # fmt: skip


def recorded(owner: User, seconds: int = 10) -> Recording:
    """A recording of two faces that ends now, with stretches and a series."""
    now = timezone.now()
    recording = Recording.objects.create(
        owner=owner,
        started_at=now - timedelta(seconds=seconds),
        ended_at=now,
        model_version="vgg16-1",
        samples=[[1, "happy", 1.0, 3.9, 0.8], [2, "sad", 1.0, 1.0, 0.5]],
    )
    write_series(recording, faces=(1, 2))
    return Recording.objects.get(pk=recording.pk)


def write_series(recording: Recording, n: int = 30, faces: Sequence[int] = (1,)) -> None:
    """Give a recording `n` moments, a tenth of a second apart, after a gap of a second."""
    writer = SeriesWriter(recording)
    writer.add_gap(Gap(0, 1000, GapReason.NO_FACE))
    for index in range(n):
        happy = 0.3 + 0.5 * (index % 10) / 10
        writer.add([sample(1000 + 100 * index, face, happy) for face in faces])
    writer.save()
