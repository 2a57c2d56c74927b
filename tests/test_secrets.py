"""No key, password or token of anything real is in the repository."""

from __future__ import annotations

import math
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: Shapes that only secrets have.
SHAPES = {
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\bgh[pousr]_[0-9A-Za-z]{36}|\bgithub_pat_[0-9A-Za-z_]{40}",
    "Slack token": r"\bxox[abprs]-[0-9A-Za-z-]{10}",
    "Google key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "JSON web token": r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.",
    "password in an address": r"\b[a-z][a-z0-9+]{2,}://[^\s/:@\"'`${}<>]+:(?P<value>[^\s/:@\"'`]+)@",
    "value of a secret": (
        r"(?i)(?:secret|passw(?:or)?d|token|api_?key)[\w-]*[\"']?\s*[:=]\s*[\"'](?P<value>[^\"'\s]{16,})[\"']"
    ),
}
#: Sites that were made for the test of upgrades, with the keys that they were made with. Nobody
#: runs them, and their people are made up.
OLD_SITES = ("tests/upgrade/", "tests/support/old_sites/sites.py")
#: What documents and tests show instead of one.
HARMLESS = re.compile(r"(?i)password|secret|example|testing|token|wrong|\$|\{|\(|^\.+$|…|correct")


def text_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    names = [name for name in listed.split("\0") if name and "static/vendor" not in name]
    files = [ROOT / name for name in names if (ROOT / name).is_file()]
    return [file for file in files if b"\0" not in file.read_bytes()[:4096]]


def secrets_in(text: str) -> list[tuple[str, str]]:
    found = []
    for kind, shape in SHAPES.items():
        for match in re.finditer(shape, text):
            value = match.groupdict().get("value")
            if value is None or not (HARMLESS.search(value) or is_readable(value)):
                found.append((kind, match[0][:60]))
    return found


def is_readable(value: str) -> bool:
    """Words repeat letters; a random key hardly does."""
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return bits < 3.5


def test_there_are_none() -> None:
    files = text_files()
    assert len(files) > 150
    found = {
        str(file.relative_to(ROOT)): secrets
        for file in files
        if file != Path(__file__)
        and not str(file.relative_to(ROOT)).startswith(OLD_SITES)
        and (secrets := secrets_in(file.read_text(errors="replace")))
    }
    assert found == {}


def test_no_file_that_holds_secrets_is_tracked() -> None:
    forbidden = re.compile(r"(^|/)(\.env(\..*)?|.*\.(pem|key|p12|pfx|sqlite3)|id_(rsa|ed25519))$")
    assert [str(file) for file in text_files() if forbidden.search(str(file))] == []


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN RSA PRIVATE" + " KEY-----",
        "aws = 'AKIA" + "Q7XN2P9ZLW4RTB6V'",
        "SECRET_KEY = 'k9#Vx2" + "!qLz8Rm4&Tp7Wn1Yb'",
        "DATABASE_URL=postgres://visage:Tr0ub4dor" + "&3xkcd@db/visage",
    ],
)
def test_one_would_be_found(line: str) -> None:
    assert secrets_in(line)
