"""The settings: what they are told, and what is written about them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recognition.vision import images
from recognition.vision.detection import DetectorName

ROOT = Path(__file__).resolve().parent.parent
#: What starts the processes reads these.
STARTED_WITH = ("Procfile", "scripts/supervise", "scripts/step-back")


def read_by_settings() -> set[str]:
    files = (ROOT / "emotion_site" / "settings").glob("*.py")
    found = {
        name
        for file in files
        for name in re.findall(r'(?:env\.\w+|_quota)\(\s*"([A-Z0-9_]+)"', file.read_text())
    }
    assert len(found) > 30
    return found


def in_the_table() -> set[str]:
    page = (ROOT / "docs" / "SETTINGS.md").read_text()
    rows = re.findall(r"^\| (`[^|]+) \|", page, re.M)
    return {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row)}


def test_every_setting_is_in_the_table() -> None:
    assert read_by_settings() - in_the_table() == set()


def test_the_table_lists_nothing_that_is_not_read() -> None:
    sources = [
        *(ROOT / name for name in STARTED_WITH),
        *(ROOT / "emotion_site" / "management" / "commands").glob("*.py"),
    ]
    started = {
        name for file in sources for name in re.findall(r"\b[A-Z][A-Z_]{3,}\b", file.read_text())
    }
    assert in_the_table() - read_by_settings() - started == set()


@pytest.mark.parametrize("name", list(DetectorName))
def test_each_detector_can_be_chosen(name: DetectorName, tmp_path: Path) -> None:
    settings_with(DEBUG="true", DATA_DIR=str(tmp_path), DETECTOR=name.value)
    assert f"`{name}`" in (ROOT / "docs" / "SETTINGS.md").read_text()


def test_a_photo_may_be_as_large_as_is_looked_at(tmp_path: Path) -> None:
    largest = images.MAXIMUM_BYTES // (1024 * 1024)
    told = {"DEBUG": "true", "DATA_DIR": str(tmp_path)}
    settings_with(**told, PHOTO_MAXIMUM_MEGABYTES=str(largest))
    with pytest.raises(subprocess.CalledProcessError) as refused:
        settings_with(**told, PHOTO_MAXIMUM_MEGABYTES=str(largest + 1))
    assert f"from 1 to {largest}" in refused.value.stderr


def settings_with(**environment: str) -> subprocess.CompletedProcess[str]:
    code = (
        "from emotion_site import settings as s; import django.conf;"
        "print(getattr(s, 'SECURE_HSTS_PRELOAD', None),"
        " getattr(s, 'SECURE_HSTS_INCLUDE_SUBDOMAINS', None))"
    )
    plain = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**plain, **environment},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize(("asked", "expected"), [({}, "False False"), ("both", "True True")])
def test_what_reaches_beyond_the_site_is_off_unless_asked_for(
    asked: object, expected: str, tmp_path: Path
) -> None:
    names = ("SECURE_HSTS_PRELOAD", "SECURE_HSTS_INCLUDE_SUBDOMAINS")
    wanted = dict.fromkeys(names, "true") if asked == "both" else {}
    result = settings_with(
        SECRET_KEY="example-key-of-a-test" * 3,
        SITE_URL="https://a.example",
        DATA_DIR=str(tmp_path),
        **wanted,
    )
    assert result.stdout.strip() == expected
