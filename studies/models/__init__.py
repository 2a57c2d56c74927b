"""Rows of a study, from its plan to what its participants gave."""

from studies.models.blocks import Block
from studies.models.participations import (
    HAVE_ENDED,
    SILENT_MINUTES,
    Answer,
    ClockReading,
    Participation,
    Visit,
)
from studies.models.results import ExclusionRule, ParticipationGrid
from studies.models.studies import Condition, Member, PersonalLink, Study

__all__ = [
    "HAVE_ENDED",
    "SILENT_MINUTES",
    "Answer",
    "Block",
    "ClockReading",
    "Condition",
    "ExclusionRule",
    "Member",
    "Participation",
    "ParticipationGrid",
    "PersonalLink",
    "Study",
    "Visit",
]
