"""What goes on record about a model: its data, its code, its versions, its figures."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from recognition.training.dataset import Dataset
from recognition.training.evaluate import SOURCE_CLASSES, Evaluation, true_classes

#: Packages that can change the outcome of a training run or an export.
PACKAGES = ("torch", "tensorflow", "ai-edge-litert", "numpy", "opencv-python-headless")


def write_manifest(path: Path, content: Mapping[str, Any]) -> None:
    """Replace the manifest in one step: a reader meets the old one or the new one."""
    partial = path.with_name(f"partial-{path.name}")
    partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    os.replace(partial, path)


def read_beside(file: Path) -> dict[str, Any] | None:
    """A record that stands beside the manifest; None where there is none."""
    if not file.exists():
        return None
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def store_evaluation(path: Path, evaluation: Evaluation) -> dict[str, Any]:
    """Put the figures into the manifest.

    Returns:
        The manifest's new content.

    Raises:
        ValueError: the figures are of another model.
    """
    content: dict[str, Any] = json.loads(path.read_text())
    if evaluation["model_version"] != content["version"]:
        raise ValueError(f"the figures are of {evaluation['model_version']}, not of this model")
    content["evaluation"] = evaluation
    write_manifest(path, content)
    return content


def describe_data(data: Dataset, *, with_votes: bool) -> dict[str, Any]:
    """Fingerprint, facts and the number of images of each class in each part."""
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    return {
        "name": "FER-2013" + (" with FER+ votes" if with_votes else ""),
        "fingerprint": data.fingerprint,
        **({"extra_fingerprint": data.extra_fingerprint} if data.extra_fingerprint else {}),
        "facts": dict(data.facts),
        "classes": {
            part: {
                source: {
                    name: int((truth == i).sum()) for i, name in enumerate(SOURCE_CLASSES[source])
                }
                for source, truth in true_classes(examples, with_votes=with_votes).items()
            }
            for part, examples in parts.items()
        },
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that matter, as far as they are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def code_version() -> str | None:
    """The commit of this code, ``-dirty`` if changed since; None outside a git checkout."""
    git = shutil.which("git")
    if git is None:
        return None
    try:
        result = subprocess.run(  # noqa: S603 (no argument comes from outside)
            [git, "describe", "--always", "--dirty"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip() or None
