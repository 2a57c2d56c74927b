"""How a study is coming in: counts, and how good each participant's series is. Never a picture."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from studies.models import HAVE_ENDED, SILENT_MINUTES, Participation, Study

State = Participation.State
#: Pixels of a face's height, brightness (0 to 1) and frames a second below which a series is poor.
SMALL_FACE, DARK, FEW_FRAMES = 60, 0.2, 3.0


@dataclass(frozen=True, slots=True)
class Counts:
    """People, each step's with those who went further; previews do not count.

    Attributes:
        running, away: who has not ended, and was heard of lately, or was not.
    """

    came: int
    consented: int
    checked: int
    running: int
    away: int
    finished: int
    left: int
    withdrew: int
    most: int

    @property
    def share(self) -> float:
        """Of the most participants, how many finished, from 0 to 1."""
        return min(1.0, self.finished / self.most) if self.most else 0.0


@dataclass(frozen=True, slots=True)
class Quality:
    """How good one participant's series is; None where it is not known.

    Attributes:
        face_share: of the frames, from 0 to 1.
        frames_per_second: of the series, or of the camera check before there is one.
        brightness: mean of the camera check, from 0 to 1.
        face_height: in pixels, in the camera check.
        is_away: they have not ended, and were not heard of for long.
        is_excluded: whether the study's rule leaves the participant out of results.
        problems: names of what is poor.
    """

    participation: Participation
    face_share: float | None
    frames_per_second: float | None
    brightness: float | None
    face_height: float | None
    is_away: bool
    is_excluded: bool
    problems: tuple[str, ...]
    seen_at: datetime


def with_counts(studies: QuerySet[Study]) -> QuerySet[Study]:
    """The same studies, each with ``n_finished`` and ``n_took_part``."""
    real = Q(participations__is_preview=False)
    return studies.annotate(
        n_took_part=Count("participations", filter=real),
        n_finished=Count("participations", filter=real & Q(participations__state=State.FINISHED)),
    )


def counts(study: Study) -> Counts:
    """Where a study's participants are."""
    rows = study.participations.filter(is_preview=False).order_by()
    found = Counter(dict(rows.values_list("state").annotate(n=Count("pk"))))
    away = rows.exclude(state__in=HAVE_ENDED).filter(seen_at__lt=_heard_of_since()).count()
    passed = rows.exclude(state=State.CONSENTED).exclude(state=State.LEFT, camera={}).count()
    return Counts(
        came=study.n_came,
        consented=sum(found.values()),
        checked=passed,
        running=sum(found.values()) - found[State.FINISHED] - found[State.LEFT] - away,
        away=away,
        finished=found[State.FINISHED],
        left=found[State.LEFT],
        withdrew=study.n_withdrawn,
        most=study.most_participants,
    )


def newest(study: Study) -> QuerySet[Participation]:
    """Participants, the newest first, without what is long."""
    rows = study.participations.filter(is_preview=False).select_related("recording", "condition")
    return rows.defer("consent_text", "recording__samples").order_by("-number")


def quality(study: Study, one: Participation) -> Quality:
    recording = one.recording
    face_share, frames = _number(one.camera, "face_share"), _number(one.camera, "frames_per_second")
    if recording is not None and recording.n_frames and recording.seconds > 0:
        # One face is in the picture, so a sample is a frame with a face.
        face_share = min(1.0, recording.n_samples / recording.n_frames)
        frames = recording.n_frames / recording.seconds
    brightness, height = _number(one.camera, "brightness"), _number(one.camera, "face_height")
    is_excluded = face_share is not None and face_share < study.exclude_below
    limits = (
        ("face", face_share, max(study.exclude_below, 0.5)),
        ("frames", frames, FEW_FRAMES),
        ("light", brightness, DARK),
        ("size", height, SMALL_FACE),
    )
    problems = tuple(name for name, value, limit in limits if value is not None and value < limit)
    is_away = not one.has_ended and one.seen_at < _heard_of_since()
    return Quality(
        one, face_share, frames, brightness, height, is_away, is_excluded, problems, one.seen_at
    )


def _heard_of_since() -> datetime:
    return timezone.now() - timedelta(minutes=SILENT_MINUTES)


def _number(values: dict[str, Any], name: str) -> float | None:
    value = values.get(name)
    return float(value) if isinstance(value, (int, float)) else None
