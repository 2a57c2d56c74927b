"""Cells that no spreadsheet program runs as a formula, however it divides a line."""

from __future__ import annotations

import csv
import io

import pytest

from recognition.uploads import reports


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "said",
    ["x;=1+1", 'x;"=1+1;', "x;\t @A1", "one\n=1+1\nthree", "one\r\n-1", '";"" ";=1', "; ;+1"],
)
def test_no_part_of_a_text_is_run_as_a_formula(said: str, delimiter: str) -> None:
    """Where a spreadsheet divides at semicolons, or each line is a row."""
    line = reports.csv_line(["1", reports.safe_cell(said), "last"])
    rows = [*csv.reader(io.StringIO(line), delimiter=delimiter)]
    rows += csv.reader(io.StringIO(line), delimiter=delimiter, quoting=csv.QUOTE_NONE)
    cells = [cell.lstrip('" ') for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_other_text_stays_as_it_is() -> None:
    for said in ("a=b; c-d", "one\ntwo", "it's; fine", "2 + 2 = 4", "me@example.org"):
        assert reports.safe_cell(said) == said
