"""Collecting the static files, which takes seconds, only where they are not what they were."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

#: Beside the files that were collected: what they were collected from.
STAMP = ".collected-from"


def _sources() -> str:
    """A digest of every source's name, size and time of change, and of how they are stored."""
    found = [str(settings.STORAGES["staticfiles"])]
    for finder in get_finders():
        for name, storage in finder.list(None):
            state = Path(storage.path(name)).stat()
            found.append(f"{storage.path(name)} {state.st_size} {state.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()


def collect() -> bool:
    """Collect them if a source has changed since the last time.

    Returns:
        Whether there was something to do.
    """
    stamp = Path(settings.STATIC_ROOT) / STAMP
    sources = _sources()
    if stamp.exists() and stamp.read_text() == sources:
        return False
    # What is broken off is begun anew.
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(sources)
    return True
