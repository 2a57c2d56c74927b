"""What the processes carry in memory; which module may import which is in pyproject.toml."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


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
