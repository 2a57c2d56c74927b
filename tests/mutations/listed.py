"""Changes that somebody made by hand, each with the tests that must fail for it.

They are in ``changes/*.toml``. A change whose old text is no longer there, or is there more than
once, is an error: whoever moves code takes its change along.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "changes"


class NotFound(Exception):
    """A change does not fit the code as it is."""


@dataclass(frozen=True)
class Change:
    """One mistake.

    Attributes:
        what: in words; begins with what is wrong then.
        file: where, from the root of the project.
        old, new: text of that file, which is in it once, and what takes its place.
        tests: as pytest takes them; or a script of ``tests/js``.
    """

    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def made_in(self, root: Path) -> str:
        """The file's content with the mistake.

        Raises:
            NotFound: the old text is not there exactly once.
        """
        content = (root / self.file).read_text()
        if (found := content.count(self.old)) != 1:
            raise NotFound(f"{self.what}: the old text is in {self.file} {found} times")
        return content.replace(self.old, self.new)


def changes() -> Iterator[Change]:
    """All of them, file by file."""
    for path in sorted(FOLDER.glob("*.toml")):
        for values in tomllib.loads(path.read_text())["change"]:
            yield Change(**{**values, "tests": tuple(values["tests"])})
