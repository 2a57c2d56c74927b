"""The scripts of the pages, tested in Node's own runner: `node --test tests/js/`."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.support.site import ROOT

NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="Node.js is not installed")
def test_the_scripts_own_tests_pass() -> None:
    files = sorted(map(str, (ROOT / "tests" / "js").glob("*.test.js")))
    assert len(files) >= 3
    result = subprocess.run(
        [str(NODE), "--test", *files], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
