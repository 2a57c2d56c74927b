"""A small receiver of webhooks, and requests in JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture(autouse=True)
def no_limits(settings: Any, db: None) -> None:
    """Tests of the limits set their own."""
    settings.API_RATE = settings.API_UPLOAD_RATE = settings.API_ANONYMOUS_RATE = ""
    cache.clear()
