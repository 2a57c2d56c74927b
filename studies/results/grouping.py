"""Which groups of participants are compared, and whether curves are corrected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from studies.models import Block
from studies.results.groups import BlockResult, block_result
from studies.results.loading import Participant, StudyData

#: Groups that are shown; of more, the largest.
MOST_GROUPS = 6
CONDITION, ATTRIBUTE = "condition", "attribute:"


@dataclass(frozen=True, slots=True)
class View:
    """How results are looked at.

    Attributes:
        by: empty for everybody together, :data:`CONDITION`, or :data:`ATTRIBUTE` and a name.
        is_corrected: whether the baseline is taken away.
    """

    by: str = ""
    is_corrected: bool = False

    @property
    def query(self) -> str:
        """As part of a URL."""
        values = {"by": self.by, "values": "corrected" if self.is_corrected else ""}
        return urlencode({name: value for name, value in values.items() if value})


@dataclass(frozen=True, slots=True)
class Group:
    """Participants that share something; `name` is empty for everybody, and for no value."""

    name: str
    people: list[Participant]


def attribute_names(data: StudyData) -> list[str]:
    """Attributes that participants have, in order."""
    return sorted({name for one in data.included for name in one.participation.attributes})


def view_of(data: StudyData, query: Mapping[str, str]) -> View:
    """The view that a query string asks for; what there is not is left out of it."""
    by = query.get("by", "")
    known = {CONDITION, *(f"{ATTRIBUTE}{name}" for name in attribute_names(data))}
    return View(by if by in known else "", query.get("values") == "corrected")


def groups_of(data: StudyData, by: str) -> list[Group]:
    """The groups, by name; nobody is in two."""
    if not by:
        return [Group("", data.included)]
    found: dict[str, list[Participant]] = {}
    for one in data.included:
        found.setdefault(_value(one, by), []).append(one)
    largest = sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0]))[:MOST_GROUPS]
    return [Group(name, people) for name, people in sorted(largest)]


def _value(one: Participant, by: str) -> str:
    if by == CONDITION:
        return one.condition
    return str(one.participation.attributes.get(by.removeprefix(ATTRIBUTE), ""))


def result_of(data: StudyData, group: Group, block: Block, view: View) -> BlockResult:
    """What a group shows in a block."""
    people = [seen for one in group.people if (seen := data.seen(one, block)) is not None]
    return block_result(people, len(data.labels), is_corrected=view.is_corrected)
