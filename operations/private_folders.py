"""Folders and files that nobody but the site's own user opens. Settings use it: no Django here."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


class NotPrivate(Exception):
    """Somebody else could put files there; the message is a sentence for the operator."""


def private_folder(folder: Path) -> Path:
    """Make a folder for this user alone, in a place where others may make folders, too.

    Raises:
        NotPrivate: it was there before, and is another's, or a link, or open to others.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise NotPrivate(
            f"{folder} belongs to somebody else. Delete it, or set a shorter DATA_DIR."
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise NotPrivate(f"{folder} is open to others. Make it 0700, or set a shorter DATA_DIR.")
    return folder


def close_to_others(path: Path, mode: int) -> None:
    """Take from group and others what `mode` does not give them, where that is ours to do."""
    with suppress(OSError):
        found = path.stat()
        # A folder for everybody, such as /tmp, stays one.
        if found.st_uid == os.getuid() and not found.st_mode & stat.S_ISVTX:
            path.chmod(stat.S_IMODE(found.st_mode) & (mode | 0o700))


def private_file(path: Path) -> None:
    """Make an empty file for this user alone; one that is there already is closed to others."""
    with suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    close_to_others(path, 0o600)
