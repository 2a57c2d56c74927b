"""Write the tables of measured figures into the documentation, from what the commands wrote.

A page has a table of docs/figures/NAME.json between the lines ``<!-- figures: NAME -->`` and
``<!-- end of figures -->``; with a word after NAME, that table of `scripts/*_tables.py`.
Usage: render_figures.py [--check] [FOLDER]; with --check nothing is written, and the exit status
is 1 where a table is not what its file says.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import capacity_tables
import throughput_tables
import tutorial_tables

TABLES = capacity_tables.TABLES | throughput_tables.TABLES | tutorial_tables.TABLES
ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- figures: (\w+)(?: (\w+))? -->\n).*?(<!-- end of figures -->)", re.DOTALL)
MARKS = {True: "met", False: "missed", None: ""}


def table(content: dict[str, Any]) -> str:
    """The machine as a sentence, and each figure as a row, missed ones included."""
    about = content["machine"]
    rows = [
        f"| {row['name']} | {row['wanted']} | {row['measured']} | {MARKS[row['is_met']]} |"
        for row in content["figures"]
    ]
    return "\n".join(
        [
            f"Measured on: {about['processor']}, {about['cores']} cores, load before it "
            f"{about['load_before']}, Python {about['python']}.",
            "",
            "| figure | wanted | measured | |",
            "| --- | --- | --- | --- |",
            *rows,
        ]
    )


def rendered(page: str, figures: Path) -> str:
    """The page with each of its tables as its file says now."""

    def block(match: re.Match[str]) -> str:
        content = json.loads((figures / f"{match[2]}.json").read_text())
        text = "\n".join(TABLES[match[3]](content)) if match[3] else table(content)
        return f"{match[1]}\n{text}\n\n{match[4]}"

    return BLOCK.sub(block, page)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    stale = []
    for page in sorted(arguments.folder.rglob("*.md")):
        before = page.read_text()
        after = rendered(before, arguments.folder / "figures")
        if after != before:
            stale.append(page.name)
            if not arguments.check:
                page.write_text(after)
    if stale and arguments.check:
        sys.stderr.write(f"Not what docs/figures says (make tables): {', '.join(stale)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
