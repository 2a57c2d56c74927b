"""From a tracked face to a sample of its series."""

from __future__ import annotations

from recognition.series.columns import Sample
from recognition.vision.tracking import TrackedFace


def sample_of(face: TrackedFace, time_ms: int) -> Sample:
    """A face as it was seen at a moment, in milliseconds since the start of the recording."""
    return Sample(
        time_ms=time_ms,
        face=face.number,
        x=max(0, face.box.x),
        y=max(0, face.box.y),
        width=face.box.width,
        height=face.box.height,
        label=face.label,
        uncertain=face.uncertain,
        probabilities=face.probabilities,
        sharpness=face.sharpness,
        pixels=round(face.side),
        turn=face.roll,
    )
