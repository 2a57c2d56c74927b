"""The page of commands says what the commands say of themselves."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_page_is_what_the_commands_say() -> None:
    checked = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "document_commands.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


def test_every_command_of_the_project_is_on_it() -> None:
    files = [file for file in ROOT.glob("*/management/commands/*.py") if file.stem != "__init__"]
    headings = re.findall(r"(?m)^## (\w+)$", (ROOT / "docs" / "COMMAND_OPTIONS.md").read_text())
    assert len(files) > 10
    assert headings == sorted(file.stem for file in files)
