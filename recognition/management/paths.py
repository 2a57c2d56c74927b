"""Names of files as output: they may come from anywhere, and hold any bytes but two."""

from __future__ import annotations

import os
from pathlib import Path

from recognition.uploads.reports import FORMULA_STARTS


def told(path: Path) -> str:
    """A path as every format can hold it, and no spreadsheet takes for a formula.

    Bytes that are no text are escaped, as in ``\\udcff.jpg``; a name that begins as a formula does
    is told from its folder, as in ``./=a.jpg``.
    """
    text = os.fspath(path).encode("utf-8", "backslashreplace").decode()
    return f"./{text}" if text.startswith(FORMULA_STARTS) else text


def shown(path: str) -> str:
    """The same for a terminal, which would obey the control characters in it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in path)
