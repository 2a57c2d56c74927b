"""What the processes carry in memory, and how the house is kept.

Which module of the site may import which is in pyproject.toml.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.site import ROOT

MAXIMUM_LINES = 400
#: Made by programs, or by others.
NOT_OURS = ("static/vendor/", "locale/", "models/", "requirements/", "package-lock.json", "LICENSE")
APPS = ("accounts/", "emotion_site/", "operations/", "recognition/", "studies/")
CODE = {".py", ".js", ".html", ".sh", ""}


def loaded(statement: str) -> set[str]:
    """Names of all modules loaded after a statement in a process of its own."""
    setup = "import os, sys, django; django.setup(); "
    code = f"{setup}{statement}; print(*sys.modules)"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


def test_the_web_process_serves_without_tensorflow() -> None:
    modules = loaded(
        "import emotion_site.asgi, emotion_site.urls, recognition.model_registry.inference"
    )
    assert not {"tensorflow", "keras", "matplotlib", "recognition.training"} & modules


@pytest.mark.parametrize("statement", ["import recognition.tasks", "import emotion_site.celery"])
def test_the_parent_of_the_workers_stays_small(statement: str) -> None:
    assert not {"tensorflow", "cv2", "ai_edge_litert"} & loaded(statement)


def test_a_web_process_knows_every_task_that_it_may_send() -> None:
    code = (
        "import emotion_site.asgi; from celery import current_app as app; known = set(app.tasks); "
        "app.loader.import_default_modules(); print(sorted(set(app.tasks) - known))"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


def files_of_the_repository() -> list[str]:
    """Tracked files; where there is no repository, all but what is hidden."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    hidden = (".", "var/", "node_modules/")
    return [str(path) for path in found if not str(path).startswith(hidden)]


def test_no_file_is_longer_than_people_read() -> None:
    lengths = {
        name: len((ROOT / name).read_bytes().splitlines())
        for name in files_of_the_repository()
        if Path(name).suffix in CODE and not name.startswith(NOT_OURS)
    }
    assert {name: n for name, n in lengths.items() if n > MAXIMUM_LINES} == {}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_tests_and_benchmarks_share_what_is_in_support_and_nothing_else() -> None:
    """Neither imports the other, and no module of tests another one."""
    allowed = {
        "tests": ("tests.support", "tests.chaos", "tests.mutations"),
        "benchmarks": ("tests.support", "benchmarks"),
    }
    wrong = [
        f"{file.relative_to(ROOT)}: {name}"
        for folder, own in allowed.items()
        for file in sorted((ROOT / folder).rglob("*.py"))
        for name in imported(file)
        if name.startswith(("tests.", "benchmarks.")) and not name.startswith(own)
    ]
    assert wrong == []


def test_contributing_names_places_that_are_there_and_three_rooms_at_most() -> None:
    """For each thing that people add; what stands in a room of its own needs no fourth one."""
    text = (
        (ROOT / "CONTRIBUTING.md").read_text().partition("## How to add")[2].partition("\n## ")[0]
    )
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 20
    for what, where in rows:
        named = [place for place in re.findall(r"`([\w./-]+)`", where) if "/" in place]
        missing = [place for place in named if not (ROOT / place).exists()]
        rooms = {Path(place).parts[:2] for place in named if place.startswith(APPS)}
        assert missing == [] or "of its app" in where, (what, missing)
        assert len(rooms) <= 3, (what, rooms)
