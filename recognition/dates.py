"""How forms and addresses ask for a day or a moment."""

from __future__ import annotations

from datetime import UTC, datetime

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware


class DayInput(forms.DateInput):
    """A browser's own calendar, which reads and writes ISO dates whatever the language."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def read_moment(text: str) -> datetime | None:
    """A moment that is written as ISO 8601 has it; None where it is something else.

    Raises:
        ValueError: no calendar has it.
    """
    moment = parse_datetime(text)
    return None if moment is None else in_the_calendar(moment)


def in_the_calendar(moment: datetime) -> datetime:
    """The same moment in UTC, for sure one that a database can be asked for.

    Raises:
        ValueError: it is before the year 1, or after 9999, where clocks show UTC.
    """
    try:
        moment = make_aware(moment) if is_naive(moment) else moment
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from None
