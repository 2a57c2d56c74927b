"""The code blocks of the documentation, and what each says that it needs.

A comment on the line before a block says what it is: ``<!-- block: runs -->``. What it may say is
in :data:`NEEDS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.site import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "models").rglob("*.md")),
]
#: What a block may need, and whether its lines are commands.
NEEDS = {
    "runs": True,  # A running site, its folder, and pictures beside it.
    "runs production": True,  # Settings of a site for others.
    "python": False,  # Lines of Python; a test says what they must do.
    "site": True,  # A machine of its own: it starts the whole site.
    "asks": True,  # Somebody who answers questions.
    "stopped": True,  # A site that is stopped, whose data it replaces.
    "network": True,  # Packages from the internet.
    "docker": True,  # A container engine.
    "data": True,  # Pictures that are not ours to pass on.
    "hours": True,  # More time, or more tools, than a test has.
    "format": False,  # No command: what is sent, answered, or written into a file.
    "drawing": False,
}
_MARK = re.compile(r" *<!-- block: ([a-z ]+) -->")
_ITEM = re.compile(r" *(?:\d+\.|[-*]) ")


def is_mark(line: str) -> bool:
    """Whether a line of a page says what the block after it needs."""
    return _MARK.fullmatch(line) is not None


class Block(NamedTuple):
    """A block of code; ``needs`` is empty where nothing is said."""

    page: Path
    line: int
    needs: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def commands(self) -> list[str]:
        """Its lines without remarks, continued ones put together."""
        lines = re.sub(r"\\\n\s*", "", self.text).splitlines()
        found = (re.sub(r"(^|\s+)#\s.*", "", line).strip() for line in lines)
        return [line for line in found if line and not line.startswith("(")]


def blocks() -> list[Block]:
    return [block for page in PAGES for block in _blocks_of(page)]


def _blocks_of(page: Path) -> Iterator[Block]:
    lines = [*page.read_text(encoding="utf-8").split("\n"), ""]
    said, number = "", 0
    while number < len(lines):
        line = lines[number]
        fence = re.match(r" *(```+|~~~+)", line)
        indented = re.match(r" {4,}(?=\S)", line)
        if mark := _MARK.fullmatch(line):
            said = mark[1]
        elif fence:
            end = next(n for n in range(number + 1, len(lines)) if fence[1] in lines[n])
            yield Block(page, number + 1, said, "\n".join(lines[number + 1 : end]))
            said, number = "", end
        elif indented and not lines[number - 1].strip() and not _ITEM.match(line):
            depth = len(indented[0])
            end = number
            while end < len(lines) and (not lines[end].strip() or lines[end].startswith(" " * 4)):
                end += 1
            text = "\n".join(row[depth:] for row in lines[number:end]).rstrip()
            yield Block(page, number + 1, said, text)
            said, number = "", end - 1
        elif line.strip():
            said = ""
        number += 1
