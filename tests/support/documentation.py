"""The documentation as `make docs` builds it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.site import ROOT

MKDOCS = Path(sys.prefix) / "docs" / "bin" / "mkdocs"


def build(folder: Path) -> Path:
    """Build it into a folder, strictly, and return that; skip the test where the tool is not."""
    if not MKDOCS.exists():
        pytest.skip("mkdocs is not installed: make docs")
    built = subprocess.run(
        [MKDOCS, "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder
