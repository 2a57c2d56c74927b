"""Ask the package index whether each platform has a wheel of every locked package.

It resolves as an installer on that platform would, by metadata alone, and writes what it found to
docs/figures/wheels.json. Usage: check_wheels.py UV
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "docs" / "figures" / "wheels.json"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = {
    "Linux x86-64": "x86_64-manylinux_2_28",
    "Linux arm64": "aarch64-manylinux_2_28",
    "macOS 15 arm64": "aarch64-apple-darwin",
}
#: What is installed, and the files that declare it.
PURPOSES = {
    "serve": ("serve.in", "s3.in"),
    "train": ("serve.in", "train.in"),
    "develop": ("serve.in", "dev.in"),
}


def missing(uv: str, python: str, platform: str, files: tuple[str, ...]) -> str:
    """What cannot be had as a wheel, in the resolver's words; empty if nothing."""
    requirements = ROOT / "requirements"
    ran = subprocess.run(  # noqa: S603 (uv, with names of ours)
        [
            *(uv, "pip", "compile", "--quiet", "--only-binary", ":all:"),
            *("--python-version", python, "--python-platform", platform),
            *("--constraint", str(requirements / "constraints.txt")),
            *(str(requirements / name) for name in files),
        ],
        # Wheels for Macs name the oldest macOS that they run on; autobahn's is 15.
        env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": "15.0"},
        capture_output=True,
        text=True,
    )
    return "" if ran.returncode == 0 else " ".join(ran.stderr.split())


def main() -> int:
    found: dict[str, dict[str, dict[str, bool]]] = {}
    failures = 0
    for (platform, triple), python in product(PLATFORMS.items(), PYTHONS):
        row = found.setdefault(platform, {}).setdefault(python, {})
        for purpose, files in PURPOSES.items():
            problem = missing(sys.argv[1], python, triple, files)
            row[purpose] = not problem
            failures += bool(problem)
            # It is a command.
            print(f"{platform}, Python {python}, {purpose}: {problem or 'all wheels'}")  # noqa: T201
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=2) + "\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
