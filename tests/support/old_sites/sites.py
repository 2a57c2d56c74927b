"""The variables of old sites, and how their databases are kept."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent.parent
#: Where the sites are.
KEPT = ROOT / "tests" / "upgrade"
#: No secret: it is of sites that nobody runs.
SECRET_KEY = "an-old-site-that-nobody-runs-0123456789-abcdefghij"


def environment(data_dir: Path) -> dict[str, str]:
    """Of a site that only answers: there is no Redis."""
    ours = {
        "DEBUG": "true",
        "SECRET_KEY": SECRET_KEY,
        "DATA_DIR": str(data_dir),
        "REDIS_URL": f"unix://{data_dir}/none.sock",
        "SITE_URL": "http://localhost",
        "EMAIL_URL": "memorymail://",
        "WEBHOOK_ALLOW_PRIVATE": "true",
        "LOG_LEVEL": "CRITICAL",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **ours}


def run(program: str, code: Path, data_dir: Path, *arguments: str) -> dict[str, Any]:
    """Run one of the programs here with some code; what it printed last, as JSON."""
    done = subprocess.run(
        [sys.executable, str(FOLDER / program), *arguments],
        cwd=code,
        env=environment(data_dir),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    return told


def pack(data_dir: Path, folder: Path) -> None:
    """Keep a site's database as SQL, and its files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with sqlite3.connect(data_dir / "db.sqlite3") as database:
        text = "\n".join(database.iterdump())
    (folder / "site.sql").write_text(text + "\n")
    for name in ("media", "exports", "recordings"):
        if (data_dir / name).is_dir():
            shutil.copytree(data_dir / name, folder / name)


def unpack(folder: Path, data_dir: Path) -> None:
    """A site's `DATA_DIR` as it was."""
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.copytree(entry, data_dir / entry.name)
    with sqlite3.connect(data_dir / "db.sqlite3") as database:
        database.executescript((folder / "site.sql").read_text())
