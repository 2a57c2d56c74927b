"""Models for tests: the shipped file under other manifests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings

SHIPPED = settings.BASE_DIR / "models" / "emotion_vgg16.json"
DEFAULT, CANDIDATE = "emotion_vgg16.json", "candidate.json"
CANDIDATE_VERSION = "vgg16-candidate"


def copy_shipped(folder: Path) -> Path:
    """Copy the shipped model; returns its manifest's path."""
    content = json.loads(SHIPPED.read_text())
    shutil.copy(SHIPPED.parent / content["artefact"]["file"], folder)
    return Path(shutil.copy(SHIPPED, folder))


def write_candidate(
    folder: Path, *, name: str = CANDIDATE, version: str = CANDIDATE_VERSION, **changes: Any
) -> Path:
    """Write a manifest of the same file that is far less sure, and with other `changes`."""
    content = json.loads(SHIPPED.read_text())
    content["version"] = version
    content["created"] = "2026-12-01"
    # That of the mix: that of the heads would favour a label of several classes.
    content["shown"]["temperature"] = 10.0
    content |= changes
    path = folder / name
    path.write_text(json.dumps(content))
    return path
