"""The small programs in scripts/, with what they call replaced."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("says", "status", "expected"),
    [
        ("No known vulnerabilities found", 0, 0),
        ("Found 1 known vulnerability in 1 package", 1, 1),
        ("ERROR: connection refused", 1, 3),
        ("ERROR: Dependency not found on PyPI and could not be audited", 1, 3),
    ],
)
def test_an_audit_that_could_not_look_is_not_one_that_found_nothing(
    tmp_path: Path, says: str, status: int, expected: int
) -> None:
    pip_audit = tmp_path / "pip-audit"
    pip_audit.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {status}\n")
    pip_audit.chmod(0o700)
    pins = tmp_path / "constraints.txt"
    pins.write_text("Django==5.2.19\nredis==8.1.0\n")
    ran = subprocess.run(
        ["sh", str(ROOT / "scripts" / "audit"), str(pip_audit), str(pins)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == expected
    assert ("NOT RUN" in ran.stderr) == (expected == 3)
