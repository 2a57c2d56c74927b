"""Who is left out of results, by rules that are the same for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why somebody is left out; the value is what downloads say."""

    NO_DATA = "no_data"
    NOT_FINISHED = "not_finished"
    FEW_FACES = "few_faces"
    FEW_FRAMES = "few_frames"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a participant has to have.

    Attributes:
        least_face_share: of the frames, with a face in them, from 0 to 1.
        least_frames_per_second: looked at while frames came.
        keeps_unfinished: whether it is enough to have begun.
    """

    least_face_share: float = 0.0
    least_frames_per_second: float = 0.0
    keeps_unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Quality:
    """What a participant's recording is worth.

    Attributes:
        is_finished: whether they came to the end of the study.
        face_share: of the frames, with a face, from 0 to 1; None where no frame came.
        frames_per_second: over the time in which frames came; None where none did.
    """

    is_finished: bool
    face_share: float | None
    frames_per_second: float | None


def quality_of(
    is_finished: bool, n_moments: int, n_frames: int, seconds: float, paused: float
) -> Quality:
    """What a recording is worth.

    Args:
        n_moments: moments at which a face was seen.
        n_frames: frames that were looked at.
        seconds: how long the recording lasted.
        paused: how much of that no frames came, in seconds.
    """
    if not n_frames:
        return Quality(is_finished, None, None)
    active = max(seconds - paused, 0.0)
    rate = n_frames / active if active else None
    return Quality(is_finished, min(1.0, n_moments / n_frames), rate)


def reasons(rules: Rules, quality: Quality) -> tuple[Reason, ...]:
    """Every rule that leaves a participant out; none for those who are in."""
    if quality.face_share is None:
        # There is nothing that a rule could look at, or that could be shown.
        unfinished = () if quality.is_finished else (Reason.NOT_FINISHED,)
        return (*unfinished, Reason.NO_DATA)
    found = []
    if not quality.is_finished and not rules.keeps_unfinished:
        found.append(Reason.NOT_FINISHED)
    if quality.face_share < rules.least_face_share:
        found.append(Reason.FEW_FACES)
    if (quality.frames_per_second or 0.0) < rules.least_frames_per_second:
        found.append(Reason.FEW_FRAMES)
    return tuple(found)
