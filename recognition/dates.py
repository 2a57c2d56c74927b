"""How forms ask for a day."""

from django import forms


class DayInput(forms.DateInput):
    """A browser's own calendar, which reads and writes ISO dates whatever the language."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")
