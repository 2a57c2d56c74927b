"""Make each listed mistake in a copy of the checkout, and see whether its tests fail.

``python -m tests.mutations [WORD…] [--without WORD…]``: only those with one of the words in their
file, description or tests, and with none of the others.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tests.mutations.checkout import copied
from tests.mutations.listed import Change, changes

#: How pytest ends where tests failed, and where it could not even collect them.
FAILED, NOT_COLLECTED = 1, 2


def outcome(change: Change, root: Path) -> str:
    """``caught`` or ``survived``, or why neither can be told."""
    path = root / change.file
    original = path.read_text()
    path.write_text(change.made_in(root))
    try:
        return _of_tests(change.tests, root)
    finally:
        path.write_text(original)


def _of_tests(tests: tuple[str, ...], root: Path) -> str:
    scripts = [test for test in tests if test.endswith(".js")]
    modules = [test for test in tests if not test.endswith(".js")]
    commands = []
    if scripts:
        commands.append(["node", "--test", *scripts])
    if modules:
        options = ["-p", "no:cacheprovider", "-n0", "-x", "-q"]
        commands.append([sys.executable, "-B", "-m", "pytest", *options, *modules])
    for command in commands:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True)
        if done.returncode in (FAILED, NOT_COLLECTED) and "no tests ran" not in done.stdout:
            return "caught"
        if done.returncode:
            return f"not run ({done.returncode}): {done.stdout[-300:]} {done.stderr[-300:]}"
    return "survived"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--without", nargs="+", default=[])
    options = parser.parse_args()
    missed = 0
    with copied() as root:
        for change in changes():
            told = " ".join((change.file, change.what, *change.tests))
            if options.words and not any(word in told for word in options.words):
                continue
            if any(word in told for word in options.without):
                continue
            became = outcome(change, root)
            missed += became != "caught"
            sys.stdout.write(f"{became}: {change.what} ({change.file})\n")
            sys.stdout.flush()
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
